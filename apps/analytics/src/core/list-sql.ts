/** Statements of lists and exports. */
import { err, ok, type Result } from '@millrace/result';
import { pickedSessions } from './session-sql.ts';
import type { SqlQuery } from './sql-query.ts';
import { ofOwner, type Question, type ViewerFilter, valuesOf } from './viewer-filter.ts';

/** Where a page of sessions goes on: after (started, session), newest first. */
export interface SessionCursor {
  readonly startedMs: number;
  readonly sessionId: string;
}

export interface SessionRow {
  readonly session_id: string;
  readonly stream_id: string;
  readonly started_ms: number;
  readonly end_ms: number;
  readonly open: boolean | number;
  readonly has_left: boolean | number;
  readonly leave_reason: string;
  readonly watch_ms: number;
  readonly country: string;
  readonly device: string;
  readonly player: string;
  readonly startup_ms: number | null;
  readonly failed: boolean | number;
  readonly unstarted: boolean | number;
  readonly rebuffer_count: number | null;
  readonly rebuffer_ms: number | null;
  readonly bitrate_kbps: number | null;
  readonly latency_ms: number | null;
}

const sessionColumns = `session_id, stream_id, started_ms, whole[-1].2 AS end_ms,
  NOT has_left AND NOT stretches[-1].3 AND has({live:Array(String)}, stretches[-1].4)
    AND stretches[-1].1 >= {live_since:Array(Int64)}[indexOf({live:Array(String)}, stretches[-1].4)]
    AND last_seen_ms + {open_ms:Int64} > {now:Int64} AS open,
  has_left, leave_reason, arraySum(one -> one.2 - one.1, whole) AS watch_ms, country, device, player, startup_ms,
  has_failed AND NOT has_played AS failed,
  told_start AND NOT has_played AND NOT has_failed AND watch_ms >= 1000 AS unstarted,
  if(rebuffer_count_known, toNullable(greatest(toUInt64(length(rebuffer_starts)), toUInt64(ifNull(starved_count, 0)))), NULL) AS rebuffer_count,
  if(rebuffer_time_known, toNullable(arraySum(one -> one.2 - one.1, rebuffers)), NULL) AS rebuffer_ms,
  if(kbps_reports > 0, toNullable(kbps_sum / kbps_reports), NULL) AS bitrate_kbps,
  if(latency_reports > 0, toNullable(latency_sum / latency_reports), NULL) AS latency_ms`;

/** Sessions that overlap the range, the newest first; one more than `limit` says that there is another page. */
export function sessionsSql(question: Question, limit: number, after: SessionCursor | undefined): SqlQuery {
  const on = after === undefined ? '' : ' AND (started_ms, session_id) < ({after_ms:Int64}, {after_id:String})';
  return {
    sql: `SELECT ${sessionColumns}
FROM (${pickedSessions(question)})
WHERE (notEmpty(seen) OR (started_ms >= {from:Int64} AND started_ms < {to:Int64}))${on}
ORDER BY started_ms DESC, session_id DESC LIMIT {limit:UInt32}`,
    params: {
      ...valuesOf(question),
      limit: limit + 1,
      ...(after === undefined ? {} : { after_ms: after.startedMs, after_id: after.sessionId }),
    },
  };
}

/** An opaque cursor after a session. */
export function encodeSessionCursor(cursor: SessionCursor): string {
  return `${cursor.startedMs.toString(36)}.${cursor.sessionId}`;
}

export function decodeSessionCursor(
  text: string,
): Result<SessionCursor, { readonly kind: 'bad-cursor'; readonly message: string }> {
  const match = /^([0-9a-z]{1,11})\.([A-Za-z0-9_.-]{1,128})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    return err({ kind: 'bad-cursor', message: 'expected a next_cursor of an earlier page' });
  }
  return ok({ startedMs: Number.parseInt(match[1], 36), sessionId: match[2] });
}

/** Ingest health of a stream: the samples themselves up to 20 minutes, else by the minute or a multiple. */
export function ingestSql(question: Question): SqlQuery {
  const { fromMs, toMs, stepMs } = question.buckets;
  const params = { ...valuesOf(question), stream: question.filter.streamId ?? '' };
  const within = (at: string) =>
    `stream_id = {stream:String} AND ${at} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ${at} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
  if (toMs - fromMs <= 20 * 60_000) {
    return {
      sql: `SELECT toUnixTimestamp64Milli(at) AS at_ms, video_bps, audio_bps, frames_per_second, keyframe_interval_s, timestamp_gaps,
  CAST(warnings, 'Array(String)') AS warnings FROM ingest_health WHERE ${within('at')} ORDER BY ingest_health.at LIMIT 1500`,
      params,
    };
  }
  return {
    sql: `SELECT {from:Int64} + intDiv(toUnixTimestamp(minute) * 1000 - {from:Int64}, ${stepMs}) * ${stepMs} AS at_ms,
  sum(video_bps_sum) / sum(samples) AS video_bps, sum(audio_bps_sum) / sum(samples) AS audio_bps,
  sum(frames_per_second_sum) / sum(samples) AS frames_per_second, max(ingest_minutes.keyframe_interval_s) AS keyframe_interval_s,
  sum(ingest_minutes.timestamp_gaps) AS timestamp_gaps, arraySort(groupUniqArrayArray(ingest_minutes.warnings)) AS warnings
FROM ingest_minutes WHERE ${within('minute')} GROUP BY at_ms ORDER BY at_ms`,
    params,
  };
}

export type ExportDataset = 'sessions' | 'minutes' | 'beacons' | 'ingest';
const datasets = {
  sessions: { view: 'v_sessions', at: 'started_at', whose: ofOwner, viewer: true },
  minutes: { view: 'v_minutes', at: 'minute', whose: ofOwner, viewer: false },
  beacons: { view: 'v_beacons', at: 'at', whose: ofOwner, viewer: false },
  ingest: { view: 'v_ingest', at: 'at', whose: byStream, viewer: false },
} as const satisfies Readonly<Record<ExportDataset, unknown>>;

/** Whether a dataset can be narrowed by country, device and player. */
export function knowsViewers(dataset: ExportDataset): boolean {
  return datasets[dataset].viewer;
}

/** Rows of a documented view in the range, oldest first, at most `maxRows`. */
export function exportSql(question: Question, dataset: ExportDataset, maxRows: number): SqlQuery {
  const { view, at, whose, viewer } = datasets[dataset];
  const { filter } = question;
  const named = viewer ? (['country', 'device', 'player'] as const).filter((name) => filter[name] !== undefined) : [];
  return {
    sql: `SELECT * FROM ${view}
WHERE ${at} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ${at} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')${whose(filter)}${named
      .map((name) => ` AND ${name} = {${name}:String}`)
      .join('')}
ORDER BY ${at} LIMIT ${maxRows}`,
    params: valuesOf(question),
  };
}

function byStream(filter: ViewerFilter): string {
  const own =
    filter.ownerId === undefined
      ? ''
      : ' AND stream_id IN (SELECT stream_id FROM streams WHERE owner_id = {owner:String})';
  return `${own}${filter.streamId === undefined ? '' : ' AND stream_id = {stream:String}'}`;
}
