import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { analyticsSqlAnswerSchema, analyticsSqlInputSchema } from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { ProblemError, problem } from '@millrace/http';
import type { Result } from '@millrace/result';
import { analystViewNames, confinedQuery, parsedQuery } from '../core/analyst-query.ts';
import { readAnalystText } from '../core/analyst-text.ts';
import { checkTree } from '../core/analyst-tree.ts';
import type { QueryLimits, WarehouseFailure } from '../core/warehouse.ts';
import { access } from './access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import { download, downloads } from './export-routes.ts';
import type { ExportSlots } from './export-slots.ts';
import { answered, asksWarehouse, bearer, json, needsLogin } from './route-parts.ts';

/** `/sql`: one SELECT of an analyst over the documented views, confined to the caller's rows. */
export function addSqlRoute(app: OpenAPIHono<AnalyticsEnv>, deps: RouteDeps, slots: ExportSlots): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/v1/analytics/sql',
      operationId: 'runAnalyticsSql',
      summary: 'Run a SELECT over the documented views',
      description:
        'ClickHouse SQL over v_sessions, v_minutes, v_beacons, v_ingest, v_audience, v_broadcasts, v_renditions and v_streams. Everybody sees the rows of their own streams, admins all. Read-only, under limits of time, memory and rows.',
      tags: ['analytics'],
      security: bearer,
      middleware: access(deps, 'runAnalyticsSql'),
      request: { body: { required: true, content: { 'application/json': { schema: analyticsSqlInputSchema } } } },
      responses: {
        200: { description: 'The rows.', content: { ...json(analyticsSqlAnswerSchema, '').content, ...downloads } },
        ...needsLogin,
        ...asksWarehouse,
      },
    }),
    async (c) => {
      const { query, format } = c.req.valid('json');
      const ownerId = confinedTo(c.get('actor'));
      const text = await checked(deps, query);
      const maxRows = format === 'json' ? deps.limits.sqlRows : deps.limits.exportRows;
      const statement = confinedQuery({ text, database: deps.database, ownerId, maxRows });
      const limits: QueryLimits = { ...deps.limits, maxRows: 0, maxRange: 1_000_000 };
      if (format !== 'json') {
        const clickhouseFormat = format === 'csv' ? 'CSVWithNames' : 'Parquet';
        const body = await slots.open(async (signal) =>
          ran(await deps.warehouse.bytes(statement, clickhouseFormat, limits, signal)),
        );
        return download(
          body,
          `query.${format}`,
          format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet',
        );
      }
      const startedMs = deps.clock.monotonicMs();
      const { columns, rows } = ran(await deps.warehouse.table(statement, limits));
      const answer = {
        columns: columns.map(({ name, type }) => ({ name, type })),
        rows: rows.slice(0, maxRows).map((row) => [...row]),
        truncated: rows.length > maxRows,
        elapsed_ms: Math.round(deps.clock.monotonicMs() - startedMs),
      };
      return c.json(answer, 200);
    },
  );
}

/** The statement written anew; throws a problem when it is not what analysts may run. */
async function checked(deps: RouteDeps, query: string): Promise<string> {
  const refuse = (reason: string, detail: string) => {
    deps.metrics.refusedSql.inc({ reason });
    return new ProblemError(problem(400, 'sql-refused', 'Statement refused', { detail }));
  };
  const text = readAnalystText(query);
  if (!text.ok) throw refuse('text', text.error.message);
  const parsed = await deps.warehouse.tree(parsedQuery(text.value), deps.limits);
  if (!parsed.ok && parsed.error.kind === 'refused') throw refuse('syntax', parsed.error.message);
  const tree = checkTree(answered(parsed), analystViewNames);
  if (!tree.ok) throw refuse('name', tree.error.message);
  // names of the statement's own: what is a table already must not be reached through them
  const names = [...tree.value];
  const views = [...analystViewNames].join(', ');
  const unknown = names.find((name) => !new RegExp(`\\b${name}\\W* AS \\(`, 'i').test(text.value));
  if (unknown !== undefined) throw refuse('name', `there is no table ${unknown}: expected one of ${views}`);
  if (names.length > 0) {
    const existing = answered(
      await deps.warehouse.rows<{ name: string }>(
        {
          sql: 'SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN ({names:Array(String)})',
          params: { names },
        },
        deps.limits,
      ),
    );
    const taken = existing[0]?.name;
    if (taken !== undefined) throw refuse('name', `there is no table ${taken} for analysts: expected one of ${views}`);
  }
  return text.value;
}

/** A statement's answer; what is wrong with an analyst's statement is told, not hidden. */
function ran<T>(result: Result<T, WarehouseFailure>): T {
  if (result.ok || result.error.kind !== 'refused') return answered(result);
  throw new ProblemError(problem(400, 'sql-failed', 'Statement failed', { detail: result.error.message }));
}
