/** Who watches at this moment, by the hub; while the hub is away, by asking now and then. */

import { useCallback } from 'react';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { useLoaded } from '../pages/use-call.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { ViewerCount } from '../parts/viewer-count.tsx';
import type { AnalyticsView } from '../routing/analytics-view.ts';
import { Link } from '../routing/router.tsx';
import type { LiveNow as LiveAnswer } from './analytics-resources.ts';
import { withFilter } from './filter-bar.tsx';
import { useAnalyticsCalls } from './use-analytics.ts';

type LiveStream = LiveAnswer['streams'][number];
const shownAtMost = 6;

export function LiveNow({ view }: { readonly view: AnalyticsView }) {
  const { streams, known } = useLiveStreams();
  const total = streams.reduce((sum, stream) => sum + stream.viewers, 0);
  return (
    <section className="card live-now" aria-labelledby="live-now-heading">
      <div className="live-now-total">
        <h2 id="live-now-heading">Watching now</h2>
        <p className="live-now-count">{known ? total.toLocaleString('en') : '–'}</p>
        <p className="hint">
          {streams.length === 0
            ? 'No stream is live.'
            : `on ${streams.length} live stream${streams.length === 1 ? '' : 's'}`}
        </p>
      </div>
      {streams.length > 0 && (
        <ul className="live-now-streams">
          {streams.slice(0, shownAtMost).map((stream) => (
            <li key={stream.stream_id}>
              <Link to={{ kind: 'analytics', view: withFilter(view, 'stream', stream.stream_id) }}>{stream.title}</Link>
              {stream.state === 'interrupted' && <StateBadge state="interrupted" />}
              <ViewerCount viewers={stream.viewers} />
            </li>
          ))}
          {streams.length > shownAtMost && <li className="hint">and {streams.length - shownAtMost} more</li>}
        </ul>
      )}
    </section>
  );
}

/** Those on air, most watched first. */
function useLiveStreams(): { readonly streams: readonly LiveStream[]; readonly known: boolean } {
  const calls = useAnalyticsCalls();
  const hub = useHubChannel('streams');
  const away = hub.link === 'away';
  const ask = useCallback((signal: AbortSignal) => calls.live(signal), [calls]);
  const asked = useLoaded(away ? ask : undefined, pollMs(hub.link));
  const all = away ? (asked.value?.streams ?? []) : [...(hub.view?.streams.values() ?? [])];
  const streams = all.filter((stream) => stream.state !== 'idle').sort((a, b) => b.viewers - a.viewers);
  return { streams, known: away ? asked.value !== undefined : hub.view !== undefined };
}
