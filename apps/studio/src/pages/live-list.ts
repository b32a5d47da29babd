/** The list of streams as the API pages it, with what the hub says of them at the moment. Pure. */
import type { HubStream } from '@millrace/api';
import type { Stream, StreamState } from '../api/resources.ts';

export interface ListedStream {
  readonly id: string;
  readonly title: string;
  readonly visibility: 'public' | 'private';
  /** From the API; undefined for one that only the hub has told of yet. */
  readonly stream: Stream | undefined;
  /** Undefined while unknown. */
  readonly state: StreamState | undefined;
  readonly live: HubStream | undefined;
}

/**
 * Those on air first, the longest first; then the others as the API orders them. `live` is undefined while the hub is not heard:
 * then states are what the API says of them. A stream on air that is not on the pages asked for so far is listed all the same.
 */
export function liveList(
  streams: readonly Stream[],
  live: ReadonlyMap<string, HubStream> | undefined,
): { readonly onAir: readonly ListedStream[]; readonly others: readonly ListedStream[] } {
  const listed = streams.map((stream): ListedStream => {
    const now = live?.get(stream.id);
    return {
      id: stream.id,
      title: now?.title ?? stream.title,
      visibility: now?.visibility ?? stream.visibility,
      stream,
      state: live === undefined ? stream.state : (now?.state ?? 'idle'),
      live: now,
    };
  });
  const known = new Set(streams.map((stream) => stream.id));
  for (const now of live?.values() ?? []) {
    if (known.has(now.stream_id) || now.state === 'idle') continue;
    const { stream_id: id, title, visibility, state } = now;
    listed.push({ id, title, visibility, stream: undefined, state, live: now });
  }
  const isOnAir = ({ state }: ListedStream) => state === 'live' || state === 'interrupted';
  const since = ({ live: now }: ListedStream) => now?.live_since ?? '';
  return {
    onAir: listed.filter(isOnAir).sort((a, b) => since(a).localeCompare(since(b)) || a.id.localeCompare(b.id)),
    others: listed.filter((one) => !isOnAir(one)),
  };
}
