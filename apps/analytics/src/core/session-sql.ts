/**
 * Metrics that stand on sessions, one statement for all of them: each session is cut at the bounds of the buckets, and the pieces
 * are summed. docs/metrics.md has the same in words; the property test has it in TypeScript.
 */
import type { AnalyticsMetric } from '@millrace/api';
import type { SqlQuery } from './sql-query.ts';
import { columnOf, type Dimension, ofOwner, ofViewer, type Question, valuesOf } from './viewer-filter.ts';

const told = 'started AND told_start';
const measured = 'started AND isNotNull(startup_ms)';
/** Aggregates over the pieces of a group that metrics are made of. */
const sums = {
  unique_viewers: 'uniqExactIf(viewer_hash, watch_ms > 0)',
  begun: 'countIf(started)',
  watched: 'sum(watch_ms)',
  startups: `countIf(${measured})`,
  startup_p50: `quantileExactIf(0.5)(assumeNotNull(startup_ms), ${measured})`,
  startup_p95: `quantileExactIf(0.95)(assumeNotNull(startup_ms), ${measured})`,
  attempts: `countIf(${told})`,
  failures: `countIf(${told} AND has_failed AND NOT has_played)`,
  exits: `countIf(${told} AND NOT has_played AND NOT has_failed AND (has_left OR has_quit) AND watched_ms >= 1000)`,
  stood: 'sumIf(rebuffer_ms, rebuffer_time_known)',
  watched_telling_time: 'sumIf(watch_ms, rebuffer_time_known)',
  stops: 'sumIf(rebuffers_begun, rebuffer_count_known)',
  watched_telling_count: 'sumIf(watch_ms, rebuffer_count_known)',
} as const;
/** Value of each metric. Percentages are NULL where nobody could say anything. */
const expressions = {
  unique_viewers: 'sums.unique_viewers',
  views: 'begun',
  watch_time_s: 'watched / 1000',
  startup_time_p50_ms: 'if(startups = 0, NULL, startup_p50)',
  startup_time_p95_ms: 'if(startups = 0, NULL, startup_p95)',
  startup_failure_percentage: ratio('100 * failures', 'attempts'),
  exit_before_start_percentage: ratio('100 * exits', 'attempts'),
  rebuffer_percentage: ratio('100 * least(stood, watched_telling_time)', 'watched_telling_time'),
  rebuffer_frequency_per_min: ratio('60000 * stops', 'watched_telling_count'),
} as const satisfies Partial<Record<AnalyticsMetric, string>>;
export type SessionMetric = keyof typeof expressions;

/** Whether a metric stands on sessions. */
export function isSessionMetric(metric: AnalyticsMetric): metric is SessionMetric {
  return Object.hasOwn(expressions, metric);
}

/**
 * Sessions that were there within the range, with `seen`: the stretches they were counted for, clipped to it. The inner condition
 * finds them by the index; a session is always older than its first row and younger than its last one.
 */
export function pickedSessions(question: Question): string {
  const own = ofOwner(question.filter);
  return `SELECT *,
    arrayMap(one -> (one.1, if(NOT one.3 AND has({live:Array(String)}, one.4)
        AND one.1 >= {live_since:Array(Int64)}[indexOf({live:Array(String)}, one.4)],
        greatest(one.2, least({now:Int64}, last_seen_ms + {open_ms:Int64})), one.2)), stretches) AS whole,
    arrayFilter(one -> one.2 > one.1,
        arrayMap(one -> (greatest(one.1, {from:Int64}), least(one.2, {to:Int64})), whole)) AS seen
  FROM session_states
  WHERE counted${own}${ofViewer(question.filter)} AND session_id IN (
    SELECT session_id FROM sessions
    WHERE last_seen >= fromUnixTimestamp64Milli({from:Int64} - {open_ms:Int64}, 'UTC')
      AND first_seen < fromUnixTimestamp64Milli({to:Int64}, 'UTC')${own})`;
}

/** Rows of (bucket, one column a metric), every bucket there; with `by` rows of (key, sessions, metrics), the greatest `limit` first. */
export function sessionMetricsSql(
  question: Question,
  metrics: readonly SessionMetric[],
  by?: { readonly dimension: Dimension; readonly limit: number },
): SqlQuery {
  const columns = metrics.map((metric) => `${expressions[metric]} AS ${metric}`).join(',\n  ');
  const key = by === undefined ? 'toInt64(bucket) AS bucket' : `${columnOf[by.dimension]} AS key`;
  // Only what these metrics are made of: the engine leaves out what the rest would need of each session.
  const needed = metrics.map((metric) => expressions[metric]).join(' ');
  const aggregates = Object.entries(sums)
    .filter(([name]) => new RegExp(`\\b${name}\\b`).test(needed))
    .map(([name, sum]) => `${sum} AS ${name}`);
  const last =
    by === undefined
      ? `SELECT bucket,\n  ${columns}\nFROM sums ORDER BY bucket WITH FILL FROM 0 TO {buckets:Int64}`
      : `SELECT key, sessions,\n  ${columns}\nFROM sums WHERE sessions > 0
ORDER BY ${metrics[0] ?? 'sessions'} DESC NULLS LAST, key LIMIT {limit:UInt32}`;
  const sql = `WITH
picked AS (${pickedSessions(question)}),
cut AS (SELECT *,
    arrayFilter(one -> one.2 > one.1,
        arrayMap(one -> (greatest(one.1, {from:Int64}), least(one.2, {to:Int64})), rebuffers)) AS stood,
    arrayFilter(b -> b >= 0 AND b < {buckets:Int64}, arrayDistinct(arrayConcat(
        arrayFlatten(arrayMap(one -> range(${bucketOf('one.1')}, ${bucketOf('one.2 - 1')} + 1), seen)),
        arrayFlatten(arrayMap(one -> range(${bucketOf('one.1')}, ${bucketOf('one.2 - 1')} + 1), stood)),
        arrayMap(at -> ${bucketOf('at')}, arrayPushBack(rebuffer_starts, started_ms))))) AS bucket_list
    FROM picked),
pieces AS (SELECT *, bucket,
    {from:Int64} + bucket * {step:Int64} AS b0,
    b0 + {step:Int64} AS b1,
    arraySum(one -> greatest(0, least(one.2, b1) - greatest(one.1, b0)), seen) AS watch_ms,
    arraySum(one -> one.2 - one.1, whole) AS watched_ms,
    arraySum(one -> greatest(0, least(one.2, b1) - greatest(one.1, b0)), stood) AS rebuffer_ms,
    arrayCount(at -> at >= b0 AND at < b1, rebuffer_starts) AS rebuffers_begun,
    started_ms >= b0 AND started_ms < b1 AS started
    FROM cut ARRAY JOIN bucket_list AS bucket),
sums AS (SELECT ${key}, uniqExactIf(session_id, watch_ms > 0 OR started) AS sessions${aggregates.map((one) => `,\n    ${one}`).join('')}
    FROM pieces GROUP BY ${by === undefined ? 'bucket' : 'key'})
${last}`;
  return { sql, params: { ...valuesOf(question), ...(by === undefined ? {} : { limit: by.limit }) } };
}

/** Most viewers at once in each bucket: a sweep over the bounds of all stretches. */
export function viewersSql(
  question: Question,
  by?: { readonly dimension: Dimension; readonly limit: number },
): SqlQuery {
  const key = by === undefined ? "''" : `toString(${columnOf[by.dimension]})`;
  const bounds = `SELECT ${key} AS key, session_id, arrayJoin(arrayConcat(
      arrayMap(one -> (one.1, toInt64(1)), seen), arrayMap(one -> (one.2, toInt64(-1)), seen))) AS bound FROM picked`;
  // at one instant: who goes, then the mark of the bucket (what is carried into it), then who comes
  const marks = `UNION ALL SELECT '' AS key, '' AS session_id, ({from:Int64} + toInt64(number) * {step:Int64}, toInt64(0)) AS bound
    FROM numbers({buckets:UInt64})`;
  const running = `SELECT key, session_id, bound.1 AS at,
      sum(bound.2) OVER (PARTITION BY key ORDER BY bound.1, bound.2 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS viewers_now
    FROM (${bounds} ${by === undefined ? marks : ''})`;
  const grouped =
    by === undefined
      ? `SELECT ${bucketOf('at')} AS bucket, max(viewers_now) AS viewers
FROM running WHERE at < {to:Int64} GROUP BY bucket ORDER BY bucket WITH FILL FROM 0 TO {buckets:Int64}`
      : `SELECT key, uniqExact(session_id) AS sessions, max(viewers_now) AS viewers
FROM running WHERE at < {to:Int64} GROUP BY key ORDER BY viewers DESC, key LIMIT {limit:UInt32}`;
  const sql = `WITH\npicked AS (${pickedSessions(question)}),\nrunning AS (${running})\n${grouped}`;
  return { sql, params: { ...valuesOf(question), ...(by === undefined ? {} : { limit: by.limit }) } };
}

/** The bucket of a time, 0 for the first one. */
function bucketOf(at: string): string {
  return `toInt64(floor((${at} - {from:Int64}) / {step:Int64}))`;
}

function ratio(part: string, whole: string): string {
  return `if(${whole} = 0, NULL, ${part} / ${whole})`;
}
