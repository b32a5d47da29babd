/**
 * Metrics that stand on reports: from the minutes where the range is of whole ones and nobody asks about viewers, else from the
 * reports themselves.
 */
import type { AnalyticsMetric } from '@millrace/api';
import { pickedSessions } from './session-sql.ts';
import type { SqlQuery } from './sql-query.ts';
import { minuteMs } from './time-range.ts';
import { columnOf, type Dimension, looksAtViewer, ofOwner, type Question, valuesOf } from './viewer-filter.ts';

const sampleMetrics = ['bitrate_kbps', 'live_latency_ms', 'live_latency_p95_ms'] as const;
export type SampleMetric = (typeof sampleMetrics)[number];

/** Whether a metric stands on single reports. */
export function isSampleMetric(metric: AnalyticsMetric): metric is SampleMetric {
  return (sampleMetrics as readonly AnalyticsMetric[]).includes(metric);
}

interface By {
  readonly dimension: Dimension;
  readonly limit: number;
}

/** Rows of (bucket, metrics) or of (key, sessions, metrics); percentiles by t-digest. */
export function sampleMetricsSql(question: Question, metrics: readonly SampleMetric[], by?: By): SqlQuery {
  const ofViewers = looksAtViewer(question.filter) || (by !== undefined && by.dimension !== 'stream');
  const raw = ofViewers || question.buckets.fromMs % minuteMs !== 0 || question.buckets.toMs % minuteMs !== 0;
  const expressions = raw ? fromReports : fromMinutes;
  const columns = metrics.map((metric) => `${expressions[metric]} AS ${metric}`).join(',\n  ');
  const range = (at: string) =>
    `${at} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ${at} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
  const viewers = ofViewers ? `, country, device, player FROM beacons ${joinViewers(question)}` : ' FROM beacons';
  const source = raw
    ? `reports AS (SELECT stream_id, session_id, at AS time, latency_ms, video_kbps${viewers}
  WHERE ${range('at')}${ofOwner(question.filter)})`
    : `reports AS (SELECT stream_id, minute AS time, sessions, latency, latency_reports, kbps_sum, kbps_reports
  FROM minutes WHERE ${range('minute')}${ofOwner(question.filter)})`;
  const sessions = raw ? 'uniqExact(session_id)' : 'uniqCombined64Merge(reports.sessions)';
  const grouped =
    by === undefined
      ? `SELECT ${bucketOfTime} AS bucket,\n  ${columns}\nFROM reports GROUP BY bucket ORDER BY bucket WITH FILL FROM 0 TO {buckets:Int64}`
      : `SELECT toString(${columnOf[by.dimension]}) AS key, ${sessions} AS sessions,\n  ${columns}
FROM reports GROUP BY key ORDER BY ${metrics[0] ?? 'key'} DESC NULLS LAST, key LIMIT {limit:UInt32}`;
  return { sql: `WITH\n${source}\n${grouped}`, params: values(question, by) };
}

/** Changes of the picture's bitrate between two reports of a session, within the range. */
export function switchesSql(question: Question, by?: By): SqlQuery {
  const ofViewers = looksAtViewer(question.filter) || (by !== undefined && by.dimension !== 'stream');
  const viewers = ofViewers ? joinViewers(question) : '';
  const dimension = by === undefined ? '' : `, toString(${columnOf[by.dimension]}) AS key`;
  const changes = `changes AS (SELECT session_id, at AS time${dimension},
    lagInFrame(toNullable(video_kbps)) OVER (PARTITION BY session_id ORDER BY at, video_kbps ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before,
    isNotNull(before) AND before != video_kbps AS changed
  FROM beacons ${viewers}
  WHERE isNotNull(video_kbps) AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')${ofOwner(question.filter)})`;
  const value = 'toNullable(countIf(changed)) AS rendition_switches';
  const grouped =
    by === undefined
      ? `SELECT ${bucketOfTime} AS bucket, ${value}\nFROM changes GROUP BY bucket ORDER BY bucket WITH FILL FROM 0 TO {buckets:Int64}`
      : `SELECT key, uniqExact(session_id) AS sessions, ${value}
FROM changes GROUP BY key ORDER BY rendition_switches DESC, key LIMIT {limit:UInt32}`;
  return { sql: `WITH\n${changes}\n${grouped}`, params: values(question, by) };
}

function joinViewers(question: Question): string {
  return `INNER JOIN (SELECT session_id, country, device, player FROM (${pickedSessions(question)})) AS viewers USING (session_id)`;
}

const fromMinutes: Readonly<Record<SampleMetric, string>> = {
  bitrate_kbps: 'if(sum(reports.kbps_reports) = 0, NULL, sum(reports.kbps_sum) / sum(reports.kbps_reports))',
  live_latency_ms: 'if(sum(reports.latency_reports) = 0, NULL, quantilesTDigestMerge(0.5, 0.95)(latency)[1])',
  live_latency_p95_ms: 'if(sum(reports.latency_reports) = 0, NULL, quantilesTDigestMerge(0.5, 0.95)(latency)[2])',
};
const fromReports: Readonly<Record<SampleMetric, string>> = {
  bitrate_kbps: 'if(count(video_kbps) = 0, NULL, avg(video_kbps))',
  live_latency_ms: 'if(count(latency_ms) = 0, NULL, quantilesTDigest(0.5, 0.95)(latency_ms)[1])',
  live_latency_p95_ms: 'if(count(latency_ms) = 0, NULL, quantilesTDigest(0.5, 0.95)(latency_ms)[2])',
};
const bucketOfTime =
  "toInt64(floor((toUnixTimestamp64Milli(toDateTime64(time, 3, 'UTC')) - {from:Int64}) / {step:Int64}))";

function values(question: Question, by: By | undefined): SqlQuery['params'] {
  return { ...valuesOf(question), ...(by === undefined ? {} : { limit: by.limit }) };
}
