/** Which statements answer which metrics, and how their rows become values. */
import type { AnalyticsMetric } from '@millrace/api';
import { isSampleMetric, sampleMetricsSql, switchesSql } from './sample-sql.ts';
import { isSessionMetric, sessionMetricsSql, viewersSql } from './session-sql.ts';
import type { SqlQuery } from './sql-query.ts';
import type { Dimension, Question } from './viewer-filter.ts';

/** Statements that together answer `metrics`; rows are of (bucket, metrics) or, with `by`, of (key, sessions, metrics). */
export function metricQueries(
  question: Question,
  metrics: readonly AnalyticsMetric[],
  by?: { readonly dimension: Dimension; readonly limit: number },
): readonly SqlQuery[] {
  const ofSessions = metrics.filter(isSessionMetric);
  const ofSamples = metrics.filter(isSampleMetric);
  return [
    ...(ofSessions.length > 0 ? [sessionMetricsSql(question, ofSessions, by)] : []),
    ...(ofSamples.length > 0 ? [sampleMetricsSql(question, ofSamples, by)] : []),
    ...(metrics.includes('viewers') ? [viewersSql(question, by)] : []),
    ...(metrics.includes('rendition_switches') ? [switchesSql(question, by)] : []),
  ];
}

/** A row of any of the statements. */
export type MetricRow = Readonly<Record<string, number | string | null>>;

/** The value of a metric in the rows of one bucket; what no row has was not measured. */
export function valueOf(rows: readonly MetricRow[], metric: AnalyticsMetric): number | null {
  const value = rows.find((row) => metric in row)?.[metric];
  return typeof value === 'number' ? rounded(value) : null;
}

/** Figures are shown to a thousandth: nobody measures finer. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
