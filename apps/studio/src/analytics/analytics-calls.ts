/** Calls of /api/v1/analytics. */
import type { Caller } from '../api/caller.ts';
import { type AnalyticsView, analyticsCallQuery } from '../routing/analytics-view.ts';
import * as resources from './analytics-resources.ts';

export const exportDatasets = ['sessions', 'minutes', 'beacons', 'ingest'] as const;
export type ExportDataset = (typeof exportDatasets)[number];
export type ExportFormat = 'csv' | 'parquet';

/** The server gives up a question by itself and says so: that is worth waiting for, ms. */
const timeoutMs = 45_000;

export type AnalyticsCalls = ReturnType<typeof analyticsCalls>;

/** Ranges without fixed times end at `nowMs()`. */
export function analyticsCalls({ call: plainCall, download }: Caller, nowMs: () => number) {
  const call: Caller['call'] = (one) => plainCall({ timeoutMs, ...one });
  const path = (name: string, view: AnalyticsView, more: Readonly<Record<string, string>> = {}) => {
    const query = analyticsCallQuery(view, nowMs());
    for (const [key, value] of Object.entries(more)) query.set(key, value);
    return `/analytics/${name}?${query}`;
  };
  return {
    live: (signal: AbortSignal) => call({ path: '/analytics/live', read: resources.readLive, signal }),
    summary: (view: AnalyticsView, signal: AbortSignal) =>
      call({ path: path('summary', view), read: resources.readSummary, signal }),
    timeseries: (view: AnalyticsView, metrics: readonly resources.MetricName[], signal: AbortSignal) =>
      call({
        path: path('timeseries', view, { metric: metrics.join(',') }),
        read: resources.readTimeseries,
        signal,
      }),
    breakdown: (
      view: AnalyticsView,
      metric: resources.MetricName,
      by: resources.Dimension,
      limit: number,
      signal: AbortSignal,
    ) =>
      call({
        path: path('breakdowns', view, { metric, by, limit: String(limit) }),
        read: resources.readBreakdown,
        signal,
      }),
    sessions: (view: AnalyticsView, cursor: string | undefined, signal?: AbortSignal) =>
      call({
        path: path('sessions', view, { limit: '10', ...(cursor === undefined ? {} : { cursor }) }),
        read: resources.readSessionPage,
        signal,
      }),
    ingest: (streamId: string, view: AnalyticsView, signal: AbortSignal) =>
      call({
        path: path(`ingest/${encodeURIComponent(streamId)}`, { range: view.range }),
        read: resources.readIngest,
        signal,
      }),
    exportFile: (view: AnalyticsView, dataset: ExportDataset, format: ExportFormat) =>
      download(path('export', view, { dataset, format })),
  };
}
