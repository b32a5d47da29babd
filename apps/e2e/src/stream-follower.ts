/** A player without a screen: follows every rendition of a stream by blocking reloads and fetches all it lists. */
import { eventually } from './eventually.ts';
import { playlistMistakes, reloadMistakes } from './playlist-rules.ts';
import { type MediaPlaylist, nextPart, readMediaPlaylist } from './playlist-text.ts';
import { disagreements } from './third-parsers.ts';

/** What was seen of one rendition. */
export interface FollowedRendition {
  readonly name: string;
  readonly url: string;
  readonly playlists: MediaPlaylist[];
  /** Arrival of each playlist, ms from `performance.now`. */
  readonly arrivalsMs: number[];
  /** Bytes of parts in order of their listing, and of init sections, by absolute URL. */
  readonly parts: Map<string, Uint8Array>;
  readonly segments: Map<string, Uint8Array>;
  readonly inits: Map<string, Uint8Array>;
  readonly mistakes: string[];
}

export interface FollowedStream extends AsyncDisposable {
  readonly renditions: readonly FollowedRendition[];
  /** All mistakes of all renditions, each with its name. */
  mistakes(): readonly string[];
  rendition(name: string): FollowedRendition;
  /** Stops following; what was seen stays. */
  stop(): Promise<void>;
}

/** Media playlist URLs in a multivariant playlist. */
export function renditionUrls(text: string, baseUrl: string): readonly string[] {
  const uris = text.split('\n').flatMap((line) => {
    const attribute = /^#EXT-X-MEDIA:.*URI="([^"]+)"/.exec(line)?.[1];
    return attribute ?? (line !== '' && !line.startsWith('#') ? line.trim() : []);
  });
  return [...new Set(uris)].map((uri) => new URL(uri, baseUrl).href);
}

/** Waits until the stream has a multivariant playlist and starts to follow all it lists. */
export async function followStream(hlsUrl: string, withinMs = 45_000): Promise<FollowedStream> {
  let text = '';
  await eventually(
    async () => {
      const answer = await fetch(hlsUrl);
      text = await answer.text();
      return answer.ok;
    },
    `a playlist at ${hlsUrl}`,
    withinMs,
  );
  const abort = new AbortController();
  const renditions = renditionUrls(text, hlsUrl).map(
    (url): FollowedRendition => ({
      name: new URL(url).pathname.split('/').at(-2) ?? '',
      url,
      playlists: [],
      arrivalsMs: [],
      parts: new Map(),
      segments: new Map(),
      inits: new Map(),
      mistakes: [],
    }),
  );
  const loops = renditions.map((rendition) =>
    follow(rendition, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) rendition.mistakes.push(`following ended: ${String(error)}`);
    }),
  );
  const stop = async () => {
    abort.abort();
    await Promise.all(loops);
  };
  return {
    renditions,
    mistakes: () => renditions.flatMap(({ name, mistakes }) => mistakes.map((mistake) => `${name}: ${mistake}`)),
    rendition(name) {
      const found = renditions.find((rendition) => rendition.name === name);
      if (found === undefined) throw new Error(`no rendition "${name}" among ${renditions.map((r) => r.name).join()}`);
      return found;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function follow(rendition: FollowedRendition, signal: AbortSignal): Promise<void> {
  let playlist: MediaPlaylist | undefined;
  let from: number | undefined;
  while (!signal.aborted && !playlist?.ended) {
    const url = new URL(rendition.url);
    if (playlist !== undefined) {
      const { msn, part } = nextPart(playlist);
      url.searchParams.set('_HLS_msn', String(msn));
      url.searchParams.set('_HLS_part', String(part));
    }
    const answer = await fetch(url, { signal });
    const text = await answer.text();
    if (answer.status === 503) continue; // nothing came for three target durations: ask again
    if (!answer.ok) throw new Error(`${url.href} answered ${answer.status} ${text.slice(0, 200)}`);
    const next = readMediaPlaylist(text);
    rendition.arrivalsMs.push(performance.now());
    rendition.mistakes.push(...playlistMistakes(next), ...disagreements(text, next));
    if (playlist !== undefined) {
      rendition.mistakes.push(...reloadMistakes(playlist, next));
      const [asked, got] = [nextPart(playlist), nextPart(next)];
      const moved = got.msn > asked.msn || (got.msn === asked.msn && got.part > asked.part);
      if (!moved && !next.ended)
        rendition.mistakes.push(`asked for ${asked.msn}.${asked.part}, got a list up to before it`);
    }
    rendition.playlists.push(next);
    from ??= next.segments.at(-1)?.number;
    await fetchMedia(rendition, next, from ?? 0, signal);
    playlist = next;
  }
}

/** Fetches what is new in `playlist`, beginning with segment `from`: the one that was last when following began. */
async function fetchMedia(
  rendition: FollowedRendition,
  playlist: MediaPlaylist,
  from: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { number, map, parts, uri, gap } of playlist.segments) {
    // Parts are listed for the last three target durations: who reads later has the segments alone.
    if (gap || number < from || parts.length === 0) continue;
    if (map !== undefined) await fetchOnce(rendition, rendition.inits, map, signal);
    for (const part of parts) {
      if (!part.gap) await fetchOnce(rendition, rendition.parts, part.uri, signal);
    }
    if (uri !== undefined && parts.every((part) => rendition.parts.has(new URL(part.uri, rendition.url).href))) {
      await fetchOnce(rendition, rendition.segments, uri, signal);
    }
  }
}

async function fetchOnce(
  rendition: FollowedRendition,
  into: Map<string, Uint8Array>,
  uri: string,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(uri, rendition.url).href;
  if (into.has(url)) return;
  const startedMs = performance.now();
  const answer = await fetch(url, { signal });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (answer.status !== 200) rendition.mistakes.push(`${url} is listed and answered ${answer.status}`);
  if (performance.now() - startedMs > 3_000) rendition.mistakes.push(`${url} is listed and took more than 3 s`);
  if (!/max-age=\d{4,}|immutable/.test(answer.headers.get('cache-control') ?? '')) {
    rendition.mistakes.push(`${url} may not be cached: ${answer.headers.get('cache-control')}`);
  }
  into.set(url, bytes);
}
