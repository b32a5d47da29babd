import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  type AnalyticsMetric,
  analyticsBreakdownQuerySchema,
  analyticsBreakdownSchema,
  analyticsMetrics,
  analyticsRangeSchema,
  analyticsSummarySchema,
  analyticsTimeseriesQuerySchema,
  analyticsTimeseriesSchema,
  analyticsUnitOf,
} from '@millrace/api';
import { type MetricRow, metricQueries, valueOf } from '../core/metric-answers.ts';
import { bucketsOf, oneBucket } from '../core/time-range.ts';
import type { Question } from '../core/viewer-filter.ts';
import { access } from './access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import { accepted, answered, asksWarehouse, bearer, json, needsLogin, questionOf, time } from './route-parts.ts';

const common = { tags: ['analytics'], security: bearer, method: 'get' as const };

/** Routes of metrics: `/summary`, `/timeseries`, `/breakdowns`. */
export function addMetricRoutes(app: OpenAPIHono<AnalyticsEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/summary',
      operationId: 'getAnalyticsSummary',
      summary: 'Every metric over a time range',
      description: 'docs/metrics.md defines each metric and says what it needs from the player.',
      middleware: access(deps, 'getAnalyticsSummary'),
      request: { query: analyticsRangeSchema },
      responses: { 200: json(analyticsSummarySchema, 'The metrics.'), ...needsLogin, ...asksWarehouse },
    }),
    async (c) => {
      const question = questionOf(deps, c.get('actor'), c.req.valid('query'), oneBucket);
      const rows = (await ask(deps, question, analyticsMetrics)).flat();
      const metrics = Object.fromEntries(
        analyticsMetrics.map((metric) => [metric, { value: valueOf(rows, metric), unit: analyticsUnitOf[metric] }]),
      ) as Record<AnalyticsMetric, { value: number | null; unit: (typeof analyticsUnitOf)[AnalyticsMetric] }>;
      return c.json({ ...coverOf(question), metrics }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/timeseries',
      operationId: 'getAnalyticsTimeseries',
      summary: 'Metrics in buckets of time',
      description: 'Every bucket is there. The range grows to whole intervals; at most 1,500 buckets.',
      middleware: access(deps, 'getAnalyticsTimeseries'),
      request: { query: analyticsTimeseriesQuerySchema },
      responses: { 200: json(analyticsTimeseriesSchema, 'One series a metric.'), ...needsLogin, ...asksWarehouse },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const question = questionOf(deps, c.get('actor'), query, (range) => accepted(bucketsOf(range, query.interval)));
      const { fromMs, stepMs, count } = question.buckets;
      const metrics = [...new Set(query.metric)];
      const tables = await ask(deps, question, metrics);
      const rows = Array.from({ length: count }, (_, bucket) =>
        tables.flatMap((table): readonly MetricRow[] => table.slice(bucket, bucket + 1)),
      );
      const series = metrics.map((metric) => ({
        metric,
        unit: analyticsUnitOf[metric],
        points: rows.map((bucket, i): [number, number | null] => [fromMs + i * stepMs, valueOf(bucket, metric)]),
      }));
      return c.json({ ...coverOf(question), interval_s: stepMs / 1000, series }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      path: '/api/v1/analytics/breakdowns',
      operationId: 'getAnalyticsBreakdown',
      summary: 'One metric by stream, country, device or player',
      description: 'The greatest values first.',
      middleware: access(deps, 'getAnalyticsBreakdown'),
      request: { query: analyticsBreakdownQuerySchema },
      responses: { 200: json(analyticsBreakdownSchema, 'The groups.'), ...needsLogin, ...asksWarehouse },
    }),
    async (c) => {
      const { metric, by, limit, ...query } = c.req.valid('query');
      const question = questionOf(deps, c.get('actor'), query, oneBucket);
      const rows = (await ask(deps, question, [metric], { dimension: by, limit })).flat();
      const items = rows.map((row) => {
        const key = String(row['key']);
        const label = by === 'stream' ? (deps.streams.get(key)?.title ?? key) : key;
        return { key, label, value: valueOf([row], metric), sessions: Number(row['sessions']) };
      });
      return c.json({ ...coverOf(question), metric, unit: analyticsUnitOf[metric], by, items }, 200);
    },
  );
}

/** The rows of each statement that the metrics need. */
async function ask(
  deps: Pick<RouteDeps, 'warehouse' | 'limits'>,
  question: Question,
  metrics: readonly AnalyticsMetric[],
  by?: Parameters<typeof metricQueries>[2],
): Promise<readonly (readonly MetricRow[])[]> {
  const queries = metricQueries(question, metrics, by);
  return Promise.all(queries.map(async (query) => answered(await deps.warehouse.rows<MetricRow>(query, deps.limits))));
}

function coverOf({ buckets }: Question): { from: string; to: string } {
  return { from: time(buckets.fromMs), to: time(buckets.toMs) };
}
