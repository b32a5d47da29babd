/** Where the live edge of a media playlist is, as a blocked reload names it. */
export interface MediaPosition {
  readonly msn: number;
  readonly part: number;
}

/** The first part that a media playlist does not list yet (RFC 8216bis section 6.2.5.2). */
export function nextPosition(playlist: string): MediaPosition {
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1] ?? 0);
  const segments = [...playlist.matchAll(/^#EXTINF:/gm)].length;
  const tail = playlist.slice(playlist.lastIndexOf('#EXTINF:') + 1);
  const parts = [...tail.matchAll(/^#EXT-X-PART:/gm)].length;
  return { msn: first + segments, part: parts };
}

export function reloadQuery({ msn, part }: MediaPosition): string {
  return `?_HLS_msn=${msn}&_HLS_part=${part}`;
}

/** URIs of the media playlists of a multivariant playlist: variants, then separate renditions. */
export function mediaPlaylistsOf(multivariant: string, base: string): readonly string[] {
  const lines = multivariant.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const renditions = [...multivariant.matchAll(/^#EXT-X-MEDIA:.*URI="([^"]+)"/gm)].map((found) => found[1] ?? '');
  return [...new Set([...lines, ...renditions])].map((uri) => new URL(uri, base).href);
}
