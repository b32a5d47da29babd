/** All streams of the owner: what is on air now, by the hub, and the others. */
import { useCallback, useEffect, useId } from 'react';
import type { Stream, StreamState } from '../api/resources.ts';
import { relativeTime } from '../format/numbers.ts';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { healthOf, healthSummary } from '../hub/hub-health.ts';
import { WarningIcon } from '../parts/icons.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { RunningTime } from '../parts/running-time.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { ViewerCount } from '../parts/viewer-count.tsx';
import { Link } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import { type ListedStream, liveList } from './live-list.ts';
import { useLoaded } from './use-call.ts';
import { MoreButton, useMore } from './use-more.tsx';
import { useStreamState } from './use-stream-state.ts';

export function StreamsPage() {
  const { api } = useStudio();
  const hub = useHubChannel('streams');
  const first = useLoaded(
    useCallback((signal) => api.listStreams(undefined, signal), [api]),
    pollMs(hub.link),
  );

  const more = useMore(
    first.value,
    ({ id }) => id,
    (cursor) => api.listStreams(cursor),
  );
  const streams = more.items;
  const { onAir, others } = liveList(streams, hub.link === 'live' ? hub.view?.streams : undefined);
  const unlisted = onAir.some((one) => one.stream === undefined);
  const { refresh } = first;
  useEffect(() => {
    if (unlisted) refresh(); // made elsewhere a moment ago
  }, [unlisted, refresh]);

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
      <ErrorNotice error={first.error ?? more.error} />
      {first.value !== undefined && streams.length === 0 && onAir.length === 0 && <NoStreams />}
      {onAir.length > 0 && <StreamList heading="On air" streams={onAir} />}
      {others.length > 0 && (
        <StreamList heading="Off air" hideHeading={onAir.length === 0} streams={others} asking={hub.link !== 'live'} />
      )}
      {streams.length > 0 && <MoreButton more={more} />}
    </>
  );
}

interface StreamListProps {
  readonly heading: string;
  readonly hideHeading?: boolean;
  readonly streams: readonly ListedStream[];
  /** Nobody tells the states: each is asked for. */
  readonly asking?: boolean;
}

function StreamList({ heading, hideHeading = false, streams, asking = false }: StreamListProps) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={hideHeading ? 'visually-hidden' : 'list-heading'}>
        {heading}
      </h2>
      <ul className="stream-list">
        {streams.map((one) => (
          <li key={one.id}>
            {one.stream !== undefined && one.state === undefined && asking ? (
              <AskedRow listed={one} stream={one.stream} />
            ) : (
              <StreamRow listed={one} state={one.state} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function AskedRow({ listed, stream }: { readonly listed: ListedStream; readonly stream: Stream }) {
  return <StreamRow listed={listed} state={useStreamState(stream)} />;
}

function StreamRow({ listed, state }: { readonly listed: ListedStream; readonly state: StreamState | undefined }) {
  const { stream, live } = listed;
  const health = healthOf(live?.health);
  return (
    <Link to={{ kind: 'stream', streamId: listed.id }} className="stream-row">
      <span className="stream-row-title">{listed.title}</span>
      <span className="stream-row-facts">
        {listed.visibility === 'private' ? 'Private' : 'Public'}
        {state === 'idle' && stream !== undefined && (
          <>
            {' · '}
            {stream.latency_mode === 'low' ? 'Low latency' : 'Standard latency'} · created{' '}
            {relativeTime(stream.created_at, Date.now())}
          </>
        )}
        {state !== 'idle' && live !== undefined && (
          <>
            {' · '}
            <RunningTime since={live.live_since} />
          </>
        )}
        {state === 'live' && health !== null && (
          <>
            {' · '}
            {healthSummary(health)}
            {health.warnings.length > 0 && (
              <span className="stream-row-warning" title={health.warnings.map((one) => one.message).join('; ')}>
                <WarningIcon /> {health.warnings.length} warning{health.warnings.length === 1 ? '' : 's'}
              </span>
            )}
          </>
        )}
      </span>
      <span className="stream-row-state">
        {live !== undefined && state !== 'idle' && <ViewerCount viewers={live.viewers} />}
        {state !== undefined && <StateBadge state={state} />}
      </span>
    </Link>
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
