/**
 * The newest media playlist that an edge has of each rendition, for those who ask for less than it lists: viewers that are
 * late to ask for a part get it without asking the origin again. Times are monotonic, ms.
 */
import type { ReloadQuery } from '@millrace/hls';
import type { PlaylistBody } from './playback-source.ts';

interface Latest {
  readonly body: PlaylistBody;
  /** It was asked for with these directives, so it lists at least that; undefined: it was asked for without. */
  readonly reached: { readonly msn: number; readonly part: number } | undefined;
  readonly atMs: number;
}

/** A copy answers a request with directives for this long: longer than any player is late, shorter than a segment. */
const numberedMs = 1_000;
/** And one without directives, whose asker wants the newest: less than a part. */
const unnumberedMs = 150;

export class LatestPlaylists {
  readonly #latest = new Map<string, Latest>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A copy that answers `query` for `key` (stream, rendition); undefined: the origin has to be asked. */
  find(key: string, query: ReloadQuery, nowMs: number): PlaylistBody | undefined {
    const latest = this.#latest.get(keyOf(key, query));
    if (latest === undefined) return undefined;
    if (query.msn === undefined) return nowMs - latest.atMs <= unnumberedMs ? latest.body : undefined;
    if (latest.reached === undefined || nowMs - latest.atMs > numberedMs) return undefined;
    return isAtOrBefore(awaited(query.msn, query.part), latest.reached) ? latest.body : undefined;
  }

  put(key: string, query: ReloadQuery, body: PlaylistBody, nowMs: number): void {
    const slot = keyOf(key, query);
    const known = this.#latest.get(slot);
    const reached = query.msn === undefined ? undefined : awaited(query.msn, query.part);
    // An answer for a late asker may overtake that for an early one: it must not take its place.
    if (known?.reached !== undefined && nowMs - known.atMs < numberedMs) {
      if (reached === undefined || (isAtOrBefore(reached, known.reached) && reached !== known.reached)) return;
    }
    this.#latest.delete(slot);
    this.#latest.set(slot, { body, reached, atMs: nowMs });
    if (this.#latest.size <= this.#capacity) return;
    for (const oldest of this.#latest.keys()) {
      this.#latest.delete(oldest);
      return;
    }
  }

  deleteAll(prefix: string): void {
    for (const key of [...this.#latest.keys()]) if (key.startsWith(prefix)) this.#latest.delete(key);
  }

  sweep(nowMs: number): void {
    for (const [key, { atMs }] of this.#latest) if (nowMs - atMs > numberedMs) this.#latest.delete(key);
  }
}

function keyOf(key: string, query: ReloadQuery): string {
  return `${key}/${query.skip ? 'delta' : 'whole'}`;
}

/** A whole segment is awaited until the next one may begin. */
function awaited(msn: number, part: number | undefined): { readonly msn: number; readonly part: number } {
  return part === undefined ? { msn: msn + 1, part: -1 } : { msn, part };
}

type Position = ReturnType<typeof awaited>;

function isAtOrBefore(a: Position, b: Position): boolean {
  return a.msn < b.msn || (a.msn === b.msn && a.part <= b.part);
}
