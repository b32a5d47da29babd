import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  type AnalyticsSession,
  analyticsIngestSchema,
  analyticsRangeSchema,
  analyticsSessionPageSchema,
  analyticsSessionsQuerySchema,
  streamIdSchema,
} from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { ProblemError, problem } from '@millrace/http';
import { z } from 'zod';
import { decodeSessionCursor, encodeSessionCursor, ingestSql, type SessionRow, sessionsSql } from '../core/list-sql.ts';
import { rounded } from '../core/metric-answers.ts';
import { bucketsOf, oneBucket } from '../core/time-range.ts';
import { access } from './access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import {
  accepted,
  answered,
  asksWarehouse,
  bearer,
  json,
  needsLogin,
  noStream,
  notThere,
  questionOf,
  time,
} from './route-parts.ts';

const common = { tags: ['analytics'], security: bearer, method: 'get' as const };
const shortMs = 20 * 60_000;

interface IngestRow {
  readonly at_ms: number;
  readonly video_bps: number;
  readonly audio_bps: number;
  readonly frames_per_second: number;
  readonly keyframe_interval_s: number | null;
  readonly timestamp_gaps: number;
  readonly warnings: string[];
}

/** Routes of single sessions and of what encoders send: `/sessions`, `/ingest/{stream_id}`. */
export function addSessionRoutes(app: OpenAPIHono<AnalyticsEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/sessions',
      operationId: 'listAnalyticsSessions',
      summary: 'Viewer sessions that were there in a time range, the newest first',
      middleware: access(deps, 'listAnalyticsSessions'),
      request: { query: analyticsSessionsQuerySchema },
      responses: { 200: json(analyticsSessionPageSchema, 'A page of sessions.'), ...needsLogin, ...asksWarehouse },
    }),
    async (c) => {
      const { limit, cursor, ...query } = c.req.valid('query');
      const after = cursor === undefined ? undefined : decodeSessionCursor(cursor);
      if (after !== undefined && !after.ok) throw badCursor(after.error.message, cursor ?? '');
      const question = questionOf(deps, c.get('actor'), query, oneBucket);
      const rows = answered(
        await deps.warehouse.rows<SessionRow>(sessionsSql(question, limit, after?.value), deps.limits),
      );
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const next_cursor =
        last === undefined ? null : encodeSessionCursor({ startedMs: last.started_ms, sessionId: last.session_id });
      return c.json({ items: rows.slice(0, limit).map(show), next_cursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/ingest/{stream_id}',
      operationId: 'getAnalyticsIngest',
      summary: 'What the encoder of a stream sent',
      description: 'Every sample up to 20 minutes, beyond that by the minute or a multiple of it.',
      middleware: access(deps, 'getAnalyticsIngest'),
      request: {
        params: z.object({ stream_id: streamIdSchema }),
        query: analyticsRangeSchema.pick({ from: true, to: true }),
      },
      responses: {
        200: json(analyticsIngestSchema, 'The points that there are.'),
        ...needsLogin,
        ...notThere,
        ...asksWarehouse,
      },
    }),
    async (c) => {
      const { stream_id } = c.req.valid('param');
      const actor = c.get('actor');
      const owner = confinedTo(actor);
      const definition = deps.streams.get(stream_id);
      if (definition === undefined || (owner !== undefined && definition.owner_id !== owner)) throw noStream(stream_id);
      const query = { ...c.req.valid('query'), stream_id };
      const question = questionOf(deps, actor, query, (range) => accepted(bucketsOf(range, undefined)));
      const { fromMs, toMs, stepMs } = question.buckets;
      const rows = answered(await deps.warehouse.rows<IngestRow>(ingestSql(question), deps.limits));
      const points = rows.map(({ at_ms, keyframe_interval_s, ...row }) => ({
        at: time(at_ms),
        ...{ video_bps: rounded(row.video_bps), audio_bps: rounded(row.audio_bps) },
        frames_per_second: rounded(row.frames_per_second),
        keyframe_interval_s,
        timestamp_gaps: row.timestamp_gaps,
        warnings: row.warnings,
      }));
      const interval_s = toMs - fromMs <= shortMs ? 1 : stepMs / 1000;
      return c.json({ stream_id, from: time(fromMs), to: time(toMs), interval_s, points }, 200);
    },
  );
}

function show(row: SessionRow): AnalyticsSession {
  const open = Boolean(row.open);
  return {
    ...{ session_id: row.session_id, stream_id: row.stream_id, started_at: time(row.started_ms) },
    ended_at: open ? null : time(row.end_ms),
    ...{ watch_ms: row.watch_ms, country: row.country, device: row.device, player: row.player },
    ...{ startup_ms: row.startup_ms, rebuffer_count: row.rebuffer_count, rebuffer_ms: row.rebuffer_ms },
    bitrate_kbps: row.bitrate_kbps === null ? null : rounded(row.bitrate_kbps),
    latency_ms: row.latency_ms === null ? null : rounded(row.latency_ms),
    exit: exitOf(row, open),
  };
}

function exitOf(row: SessionRow, open: boolean): AnalyticsSession['exit'] {
  if (open) return 'watching';
  if (row.failed) return 'startup-failure';
  if (row.unstarted) return 'before-start';
  switch (row.leave_reason) {
    case 'silent':
    case 'quit':
    case 'stream-ended':
    case 'draining':
    case 'evicted':
      return row.leave_reason;
    default:
      return 'lost';
  }
}

function badCursor(expected: string, got: string): ProblemError {
  const errors = [{ path: 'query.cursor', expected, got: got.slice(0, 60) }];
  return new ProblemError(problem(400, 'invalid-request', 'Invalid request', { detail: expected, errors }));
}
