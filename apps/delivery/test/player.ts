/** A player's side of a test: fetches playlists and follows their URIs. */
export class Player {
  readonly entry: string;

  constructor(origin: string, playbackId: string, token?: string) {
    this.entry = `${origin}/live/${playbackId}${token === undefined ? '' : `/${token}`}/index.m3u8`;
  }

  /** URLs of the media playlists of the multivariant playlist, by rendition. */
  async renditions(): Promise<Record<string, string>> {
    const response = await fetch(this.entry);
    if (!response.ok) throw new Error(`multivariant: ${response.status} ${await response.text()}`);
    const text = await response.text();
    const uris = [...text.matchAll(/URI="([^"]+)"|^(s\/.*)$/gm)].map((match) => match[1] ?? match[2] ?? '');
    return Object.fromEntries(uris.map((uri) => [uri.split('/')[2], new URL(uri, this.entry).href]));
  }

  async playlist(rendition: string, query = ''): Promise<{ url: string; text: string; response: Response }> {
    const url = (await this.renditions())[rendition];
    if (url === undefined) throw new Error(`no rendition ${rendition}`);
    const response = await fetch(`${url}${query}`);
    return { url, text: await response.text(), response };
  }
}

/** URIs of a media playlist, resolved: its segments, parts, init sections and hint. */
export function urisOf(url: string, text: string) {
  const resolve = (uri: string | undefined) => new URL(uri ?? '', url).href;
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => resolve(match[1]));
  return {
    segments: all(/^([^#\s].*)$/gm),
    parts: all(/#EXT-X-PART:.*?URI="([^"]+)"/g),
    inits: all(/#EXT-X-MAP:URI="([^"]+)"/g),
    hint: all(/#EXT-X-PRELOAD-HINT:.*?URI="([^"]+)"/g)[0],
  };
}
