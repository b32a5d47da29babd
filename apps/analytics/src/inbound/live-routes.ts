import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { analyticsLiveSchema, streamIdSchema, streamMetricsSchema } from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { ProblemError, problem } from '@millrace/http';
import { z } from 'zod';
import { type MetricRow, metricQueries, valueOf } from '../core/metric-answers.ts';
import { access } from './access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import { bearer, json, needsLogin, noStream, notThere, time } from './route-parts.ts';

const common = { tags: ['analytics'], security: bearer, method: 'get' as const };
const mostListed = 1_000;
const lastMs = 60_000;
const nothingSaid = { startup_ms: null, rebuffer_percentage: null, live_latency_ms: null, bitrate_kbps: null };

/** Routes of the present, answered from the log: `/live` and `/api/v1/streams/{id}/metrics`. */
export function addLiveRoutes(app: OpenAPIHono<AnalyticsEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/live',
      operationId: 'getAnalyticsLive',
      summary: 'What is live now and how many watch',
      description: 'At most 2 s old; the most watched first, at most 1,000 streams.',
      middleware: access(deps, 'getAnalyticsLive'),
      responses: { 200: json(analyticsLiveSchema, 'Streams that are live or interrupted.'), ...needsLogin },
    }),
    (c) => {
      whenReady(deps);
      const nowMs = deps.clock.monotonicMs();
      const owner = confinedTo(c.get('actor'));
      const streams = [...deps.board.live()]
        .filter(({ ownerId }) => owner === undefined || ownerId === owner)
        .flatMap(({ streamId, state }) => {
          const definition = deps.streams.get(streamId);
          if (definition === undefined) return []; // deleted
          const health = deps.board.health(streamId, nowMs) ?? null;
          const { playback_id, title } = definition;
          return [
            { stream_id: streamId, playback_id, title, state, viewers: deps.board.viewers(streamId, nowMs), health },
          ];
        })
        .sort((a, b) => b.viewers - a.viewers || (a.stream_id < b.stream_id ? -1 : 1));
      const viewers = streams.reduce((sum, stream) => sum + stream.viewers, 0);
      return c.json({ at: time(deps.clock.nowMs()), viewers, streams: streams.slice(0, mostListed) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/streams/{id}/metrics',
      operationId: 'getStreamMetrics',
      summary: 'Present state of one stream',
      description:
        'State and counts are at most 2 s old and need no ClickHouse; `last_minute` is null in all members without it.',
      middleware: access(deps, 'getStreamMetrics'),
      request: { params: z.object({ id: streamIdSchema }) },
      responses: { 200: json(streamMetricsSchema, 'State, viewers and health.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      whenReady(deps);
      const { id } = c.req.valid('param');
      const owner = confinedTo(c.get('actor'));
      const definition = deps.streams.get(id);
      if (definition === undefined || (owner !== undefined && definition.owner_id !== owner)) throw noStream(id);
      const { board, clock } = deps;
      const stream = board.stream(id);
      const state = stream?.state ?? 'idle';
      const [last_minute, peak] = await Promise.all([lastMinute(deps, id), peakSince(deps, id)]);
      const nowMs = clock.monotonicMs();
      const answer = {
        ...{ stream_id: id, state, viewers: board.viewers(id, nowMs), last_minute },
        live_since: stream === undefined || state === 'idle' ? null : time(stream.liveSinceMs),
        peak_viewers: Math.max(board.peakOf(id, nowMs), peak),
        health: board.health(id, nowMs) ?? null,
      };
      return c.json(answer, 200);
    },
  );
}

function whenReady(deps: RouteDeps): void {
  if (deps.isReady()) return;
  const detail = 'what is live is still being read from the log';
  throw new ProblemError(problem(503, 'not-ready', 'Not ready', { detail }), { 'retry-after': '1' });
}

/** What players said in the last 60 s; nothing where ClickHouse does not answer in 2 s. */
async function lastMinute(deps: RouteDeps, streamId: string) {
  const rows = await askShortly(deps, streamId, deps.clock.nowMs() - lastMs, [
    'startup_time_p50_ms',
    'rebuffer_percentage',
    'live_latency_ms',
    'bitrate_kbps',
  ]);
  if (rows === undefined) return nothingSaid;
  return {
    startup_ms: valueOf(rows, 'startup_time_p50_ms'),
    rebuffer_percentage: valueOf(rows, 'rebuffer_percentage'),
    live_latency_ms: valueOf(rows, 'live_latency_ms'),
    bitrate_kbps: valueOf(rows, 'bitrate_kbps'),
  };
}

/** The peak as sessions tell it: this instance may have begun after the broadcast. */
async function peakSince(deps: RouteDeps, streamId: string): Promise<number> {
  const stream = deps.board.stream(streamId);
  if (stream === undefined || stream.state === 'idle') return 0;
  const rows = await askShortly(deps, streamId, stream.liveSinceMs, ['viewers']);
  return rows === undefined ? 0 : (valueOf(rows, 'viewers') ?? 0);
}

async function askShortly(
  deps: RouteDeps,
  streamId: string,
  fromMs: number,
  metrics: Parameters<typeof metricQueries>[1],
): Promise<readonly MetricRow[] | undefined> {
  const nowMs = deps.clock.nowMs();
  const toMs = Math.max(nowMs, fromMs + 1);
  const question = {
    buckets: { fromMs, toMs, stepMs: toMs - fromMs, count: 1 },
    filter: { ownerId: undefined, streamId },
    ...{ nowMs, live: deps.board.instances(deps.clock.monotonicMs()) },
  };
  const limits = { ...deps.limits, maxSeconds: Math.min(2, deps.limits.maxSeconds) };
  const answers = await Promise.all(
    metricQueries(question, metrics).map((query) => deps.warehouse.rows<MetricRow>(query, limits)),
  );
  const rows: MetricRow[] = [];
  for (const answer of answers) {
    if (!answer.ok) return undefined;
    rows.push(...answer.value);
  }
  return rows;
}
