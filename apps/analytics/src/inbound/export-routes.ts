import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { analyticsExportQuerySchema } from '@millrace/api';
import { ProblemError, problem } from '@millrace/http';
import { exportSql, knowsViewers } from '../core/list-sql.ts';
import { oneBucket } from '../core/time-range.ts';
import { access } from './access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import type { ExportSlots } from './export-slots.ts';
import { answered, asksWarehouse, bearer, needsLogin, questionOf } from './route-parts.ts';

const contentTypes = { csv: 'text/csv; charset=utf-8', parquet: 'application/vnd.apache.parquet' } as const;
/** How a download answers, in the document. */
export const downloads = {
  'text/csv': { schema: { type: 'string' } },
  'application/vnd.apache.parquet': { schema: { type: 'string', format: 'binary' } },
} as const;

/** `/export`: a documented view as CSV or Parquet, sent as fast as it is read. */
export function addExportRoute(app: OpenAPIHono<AnalyticsEnv>, deps: RouteDeps, slots: ExportSlots): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/v1/analytics/export',
      operationId: 'exportAnalytics',
      summary: 'Rows of a view as CSV or Parquet',
      description:
        'Columns as docs/analytics.md lists them. Ends at the row limit of the installation; narrow the range to get the rest.',
      tags: ['analytics'],
      security: bearer,
      middleware: access(deps, 'exportAnalytics'),
      request: { query: analyticsExportQuerySchema },
      responses: { 200: { description: 'The rows.', content: downloads }, ...needsLogin, ...asksWarehouse },
    }),
    async (c) => {
      const { dataset, format, ...query } = c.req.valid('query');
      for (const name of ['country', 'device', 'player'] as const) {
        if (query[name] === undefined || knowsViewers(dataset)) continue;
        const errors = [
          { path: `query.${name}`, expected: 'nothing: only dataset=sessions knows it', got: query[name] },
        ];
        throw new ProblemError(
          problem(400, 'invalid-request', 'Invalid request', {
            detail: `${name}: not with dataset=${dataset}`,
            errors,
          }),
        );
      }
      const question = questionOf(deps, c.get('actor'), query, oneBucket);
      const statement = exportSql(question, dataset, deps.limits.exportRows);
      const limits = { ...deps.limits, maxRows: 0, maxSeconds: deps.limits.maxSeconds * 6 };
      const clickhouseFormat = format === 'csv' ? 'CSVWithNames' : 'Parquet';
      const body = await slots.open(async (signal) =>
        answered(await deps.warehouse.bytes(statement, clickhouseFormat, limits, signal)),
      );
      return download(body, `${dataset}.${format}`, contentTypes[format]);
    },
  );
}

/** A file as a response. */
export function download(body: ReadableStream<Uint8Array>, name: string, type: string): Response {
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  });
}
