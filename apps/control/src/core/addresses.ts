/** The URLs that people copy. */

/** Where the world reaches this installation. */
export interface Addresses {
  /** Origin of the front, without a trailing slash. */
  readonly publicUrl: string;
  readonly rtmpUrl: string;
  readonly rtmpsUrl: string | null;
}

/** Builds addresses from settings: RTMP is at the host of the public URL unless another is given. */
export function addressesOf(settings: {
  readonly publicUrl: string;
  readonly rtmpHost: string | undefined;
  readonly rtmpPort: number;
  readonly rtmpsPort: number | undefined;
}): Addresses {
  const publicUrl = settings.publicUrl.replace(/\/+$/, '');
  const host = settings.rtmpHost ?? /^[a-z]+:\/\/(?:[^/@]*@)?(\[[^\]]+\]|[^/:]+)/i.exec(publicUrl)?.[1] ?? 'localhost';
  const port = (value: number, usual: number) => (value === usual ? '' : `:${value}`);
  return {
    publicUrl,
    rtmpUrl: `rtmp://${host}${port(settings.rtmpPort, 1935)}/live`,
    rtmpsUrl: settings.rtmpsPort === undefined ? null : `rtmps://${host}${port(settings.rtmpsPort, 443)}/live`,
  };
}

/** URL of the multivariant playlist; a private stream's carries a token. */
export function hlsUrl(at: Addresses, playbackId: string, token?: string): string {
  return `${at.publicUrl}/live/${playbackId}/${token === undefined ? '' : `${token}/`}index.m3u8`;
}

/** URL below which a processed video is played; a private one's carries a token. Ends in a slash. */
export function vodUrl(at: Addresses, playbackId: string, token?: string): string {
  return `${at.publicUrl}/vod/${playbackId}/${token === undefined ? '' : `${token}/`}`;
}

/** URL of the watch page; a private stream's carries a token. */
export function watchUrl(at: Addresses, playbackId: string, token?: string): string {
  return `${at.publicUrl}/watch/${playbackId}${token === undefined ? '' : `?token=${token}`}`;
}

/** URL of the one-time admin link. The code is in the fragment, which browsers send to no server. */
export function signInUrl(at: Addresses, code: string): string {
  return `${at.publicUrl}/sign-in#code=${code}`;
}
