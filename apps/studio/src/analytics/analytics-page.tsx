/** Who watches and how well it plays: live now, and over any range of time. Loaded when it is opened: no other page charts. */
import '../styles/analytics.css';
import { assertNever } from '@millrace/result';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { type AnalyticsView, timesOf } from '../routing/analytics-view.ts';
import { Link } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import type { AnalyticsCalls } from './analytics-calls.ts';
import type { Summary } from './analytics-resources.ts';
import { BreakdownTables } from './breakdown-tables.tsx';
import { askTimeseries, ChartGrid } from './chart-grid.tsx';
import { ExportMenu } from './export-menu.tsx';
import { FilterBar, filterCount, withoutFilters } from './filter-bar.tsx';
import { IngestCharts } from './ingest-charts.tsx';
import { LiveNow } from './live-now.tsx';
import { RangePicker, RangeWords } from './range-picker.tsx';
import { SessionsTable } from './sessions-table.tsx';
import { SummaryTiles } from './summary-tiles.tsx';
import { useAnalysis } from './use-analytics.ts';

export function AnalyticsPage({ view }: { readonly view: AnalyticsView }) {
  const { session } = useStudio();
  return (
    <div className="analytics">
      <div className="page-head">
        <h1>Analytics</h1>
      </div>
      <LiveNow view={view} />
      {session?.role === 'viewer' ? (
        <Notice tone="plain">
          Your role may see what is live. Past figures are for analysts, broadcasters and admins.
        </Notice>
      ) : (
        <Analyses view={view} />
      )}
    </div>
  );
}

function askSummary(calls: AnalyticsCalls, view: AnalyticsView, signal: AbortSignal) {
  return calls.summary(view, signal);
}

function Analyses({ view }: { readonly view: AnalyticsView }) {
  const summary = useAnalysis(view, askSummary);
  const timeseries = useAnalysis(view, askTimeseries);
  const error = summary.error ?? timeseries.error;
  const empty = summary.value !== undefined && nobodyWatched(summary.value);
  const { fromMs, toMs } = timesOf(view.range, Date.now());
  return (
    <>
      <div className="analytics-controls">
        <RangePicker view={view} />
        <FilterBar view={view} ready={summary.value !== undefined} />
        <RangeWords fromMs={fromMs} toMs={toMs} />
      </div>
      <Trouble error={error} stale={summary.value !== undefined} />
      {summary.value === undefined && error !== undefined ? null : empty ? (
        <NobodyWatched view={view} />
      ) : (
        <>
          <SummaryTiles summary={summary.value} />
          <ChartGrid view={view} timeseries={timeseries} />
        </>
      )}
      {view.streamId !== undefined && <IngestCharts view={view} streamId={view.streamId} />}
      {!empty && summary.value !== undefined && (
        <>
          <BreakdownTables view={view} />
          <SessionsTable key={JSON.stringify(view)} view={view} />
          <ExportMenu view={view} />
        </>
      )}
    </>
  );
}

function nobodyWatched({ metrics }: Summary): boolean {
  return (metrics.views.value ?? 0) === 0 && (metrics.viewers.value ?? 0) === 0;
}

/** What is away, what of the page still holds, and what to do. */
function Trouble({ error, stale }: { readonly error: ApiError | undefined; readonly stale: boolean }) {
  if (error === undefined) return null;
  switch (error.kind) {
    case 'refused':
      if ((error.status < 500 && error.status !== 404) || error.status === 504) return <ErrorNotice error={error} />;
      return (
        <Notice tone="warning">
          <p>
            <strong>Past figures cannot be read at the moment</strong>: the analytics store (ClickHouse) does not
            answer.
          </p>
          <p>
            Streams, playback and the live figures above go on. What happens meanwhile is kept and appears here when the
            store is back{stale ? '; below is what was known before.' : '.'}
          </p>
        </Notice>
      );
    case 'unreachable':
    case 'signed-out':
    case 'unreadable':
      return <ErrorNotice error={error} />;
    default:
      return assertNever(error);
  }
}

function NobodyWatched({ view }: { readonly view: AnalyticsView }) {
  if (filterCount(view) > 0) {
    return (
      <section className="empty">
        <h2>No viewers match</h2>
        <p>Nobody with these filters watched in this time. Try a longer range, or look at everybody.</p>
        <Link className="button" to={{ kind: 'analytics', view: withoutFilters(view) }}>
          Clear the filters
        </Link>
      </section>
    );
  }
  return (
    <section className="empty">
      <h2>Nobody watched in this time</h2>
      <p>
        Go live and open the watch page of your stream: figures appear here a few seconds later. If somebody watched
        before, choose a longer range.
      </p>
      <div className="actions">
        <Link className="button button-primary" to={{ kind: 'streams' }}>
          Your streams
        </Link>
        {view.range.kind !== 'week' && (
          <Link className="button" to={{ kind: 'analytics', view: { ...view, range: { kind: 'week' } } }}>
            Last 7 days
          </Link>
        )}
      </div>
    </section>
  );
}
