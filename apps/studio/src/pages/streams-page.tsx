/** All streams of the owner. */
import { useCallback, useState } from 'react';
import type { Stream } from '../api/resources.ts';
import { relativeTime } from '../format/numbers.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Link } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import { useAction, useLoaded } from './use-call.ts';
import { useStreamState } from './use-stream-state.ts';

export function StreamsPage() {
  const { api } = useStudio();
  const first = useLoaded(
    useCallback((signal) => api.listStreams(undefined, signal), [api]),
    5_000,
  );
  const [more, setMore] = useState<{ readonly items: readonly Stream[]; readonly next: string | null } | undefined>();
  const { busy, error, run } = useAction();

  const next = more === undefined ? (first.value?.next_cursor ?? null) : more.next;
  const known = new Set(first.value?.items.map((stream) => stream.id));
  const streams = [...(first.value?.items ?? []), ...(more?.items ?? []).filter((stream) => !known.has(stream.id))];
  const loadMore = async () => {
    if (next === null) return;
    const page = await run(() => api.listStreams(next));
    if (page) setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next_cursor });
  };

  return (
    <>
      <div className="page-head">
        <h1>Streams</h1>
        {streams.length > 0 && (
          <Link to={{ kind: 'new-stream' }} className="button button-primary">
            New stream
          </Link>
        )}
      </div>
      <ErrorNotice error={first.error ?? error} />
      {first.value !== undefined && streams.length === 0 && <NoStreams />}
      <ul className="stream-list">
        {streams.map((stream) => (
          <StreamRow key={stream.id} stream={stream} />
        ))}
      </ul>
      {next !== null && streams.length > 0 && (
        <button type="button" className="button" disabled={busy} onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </>
  );
}

function StreamRow({ stream }: { readonly stream: Stream }) {
  const state = useStreamState(stream);
  return (
    <li>
      <Link to={{ kind: 'stream', streamId: stream.id }} className="stream-row">
        <span className="stream-row-title">{stream.title}</span>
        <span className="stream-row-facts">
          {stream.visibility === 'private' ? 'Private' : 'Public'} ·{' '}
          {stream.latency_mode === 'low' ? 'Low latency' : 'Standard latency'} · created{' '}
          {relativeTime(stream.created_at, Date.now())}
        </span>
        {state !== undefined && <StateBadge state={state} />}
      </Link>
    </li>
  );
}

function NoStreams() {
  return (
    <section className="empty">
      <h2>Your first stream</h2>
      <p>
        Create a stream, copy its URL and key into OBS, and press Start Streaming. You will see it here a second later.
      </p>
      <Link to={{ kind: 'new-stream' }} className="button button-primary">
        New stream
      </Link>
    </section>
  );
}
