/** Who watched, newest first, a page at a time. */
import { dateTime, relativeTime } from '../format/numbers.ts';
import { MoreButton, useMore } from '../pages/use-more.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import type { AnalyticsView } from '../routing/analytics-view.ts';
import { amountText, durationText, unmeasured } from './amounts.ts';
import type { AnalyticsCalls } from './analytics-calls.ts';
import type { ViewerSession } from './analytics-resources.ts';
import { utcTime } from './chart-time.ts';
import { dimensionLabel } from './dimension-label.ts';
import { useAnalysis, useAnalyticsCalls } from './use-analytics.ts';

function askFirst(calls: AnalyticsCalls, view: AnalyticsView, signal: AbortSignal) {
  return calls.sessions(view, undefined, signal);
}

export function SessionsTable({ view }: { readonly view: AnalyticsView }) {
  const calls = useAnalyticsCalls();
  const first = useAnalysis(view, askFirst);
  const more = useMore(
    first.value,
    ({ session_id }) => session_id,
    (cursor) => calls.sessions(view, cursor),
  );
  const sessions = more.items;

  return (
    <section aria-labelledby="sessions-heading">
      <div className="section-head">
        <h2 id="sessions-heading">Recent sessions</h2>
      </div>
      <ErrorNotice error={more.error} />
      <div className="card sessions">
        <table className="session-table">
          <caption className="visually-hidden">Sessions of viewers, newest first</caption>
          <thead>
            <tr>
              {columns.map(({ heading, figure, meaning }) => (
                <th key={heading} scope="col" className={figure ? 'figure-cell' : undefined} title={meaning}>
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sessions.map((one) => (
              <tr key={one.session_id}>
                {columns.map(({ heading, figure, cell }) => (
                  <td key={heading} data-label={heading} className={figure ? 'figure-cell' : undefined}>
                    {cell(one)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {sessions.length === 0 && (
          <p className="hint">{first.value === undefined ? 'Loading…' : 'None in this time.'}</p>
        )}
      </div>
      {sessions.length > 0 && <MoreButton more={more} />}
    </section>
  );
}

const columns = [
  {
    heading: 'Started',
    figure: false,
    meaning: 'In your time zone; UTC is shown when you point at it',
    cell: (one: ViewerSession) => (
      <time dateTime={one.started_at} title={`${dateTime(one.started_at)} (${utcTime(one.started_at)})`}>
        {relativeTime(one.started_at, Date.now())}
      </time>
    ),
  },
  {
    heading: 'Watched',
    figure: true,
    meaning: 'How long the session lasted',
    cell: (one: ViewerSession) => durationText(one.watch_ms / 1000),
  },
  {
    heading: 'Country',
    figure: false,
    meaning: 'From the address, which is not kept',
    cell: (one: ViewerSession) => dimensionLabel('country', one.country, one.country),
  },
  {
    heading: 'Device',
    figure: false,
    meaning: 'From the user agent',
    cell: (one: ViewerSession) => dimensionLabel('device', one.device, one.device),
  },
  {
    heading: 'Player',
    figure: false,
    meaning: 'From the user agent, or what the player says of itself',
    cell: (one: ViewerSession) => dimensionLabel('player', one.player, one.player),
  },
  {
    heading: 'Startup',
    figure: true,
    meaning: 'From the attempt to play to the first frame',
    cell: (one: ViewerSession) => amountText(one.startup_ms, 'milliseconds'),
  },
  {
    heading: 'Stops',
    figure: true,
    meaning: 'How often the picture stopped for lack of media, and for how long in all',
    cell: stopsText,
  },
  {
    heading: 'Bitrate',
    figure: true,
    meaning: 'Mean bitrate on the screen',
    cell: (one: ViewerSession) => amountText(one.bitrate_kbps, 'kbps'),
  },
  {
    heading: 'Latency',
    figure: true,
    meaning: 'Behind the live edge',
    cell: (one: ViewerSession) => amountText(one.latency_ms, 'milliseconds'),
  },
  { heading: 'End', figure: false, meaning: 'Why the session ended', cell: exitWords },
] as const;

function stopsText({ rebuffer_count, rebuffer_ms }: ViewerSession): string {
  if (rebuffer_count === null) return unmeasured;
  if (rebuffer_count === 0) return '0';
  return rebuffer_ms === null
    ? String(rebuffer_count)
    : `${rebuffer_count} (${amountText(rebuffer_ms, 'milliseconds')})`;
}

const exits: Readonly<Record<string, string>> = {
  silent: 'Left',
  quit: 'Left',
  'stream-ended': 'Stream ended',
  draining: 'Moved',
  evicted: 'Evicted',
  lost: 'Lost',
  'startup-failure': 'Failed to start',
  'before-start': 'Left before start',
};

function exitWords(one: ViewerSession) {
  if (one.ended_at === null) return <span className="badge badge-live">Watching</span>;
  const words = exits[one.exit] ?? one.exit;
  return one.exit === 'startup-failure' ? <span className="badge badge-bad">{words}</span> : words;
}
