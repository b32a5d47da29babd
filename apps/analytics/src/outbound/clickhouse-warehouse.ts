import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError } from '@millrace/clickhouse';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import type { SqlQuery } from '../core/sql-query.ts';
import type { QueryLimits, ResultTable, Warehouse, WarehouseFailure } from '../core/warehouse.ts';
import type { AnalyticsMetrics } from '../metrics.ts';

export interface WarehouseDeps {
  readonly client: ClickHouseClient;
  readonly log: Logger;
  readonly metrics: Pick<AnalyticsMetrics, 'queries' | 'querySeconds'>;
  /** Monotonic ms. */
  readonly nowMs: () => number;
}

/** Questions to ClickHouse over its HTTP interface. */
export function createClickHouseWarehouse(deps: WarehouseDeps): Warehouse {
  const { client, metrics, log } = deps;

  async function measured<T>(run: () => Promise<T>): Promise<Result<T, WarehouseFailure>> {
    const startedMs = deps.nowMs();
    try {
      const value = await run();
      metrics.queries.inc({ outcome: 'answered' });
      return ok(value);
    } catch (error) {
      const failure = failureOf(error);
      metrics.queries.inc({ outcome: failure.kind });
      if (failure.kind !== 'refused') log.warn('query-failed', { kind: failure.kind, error });
      return err(failure);
    } finally {
      metrics.querySeconds.observe((deps.nowMs() - startedMs) / 1000);
    }
  }

  const ask = (query: SqlQuery, limits: QueryLimits, quoted: 0 | 1) => ({
    query: query.sql,
    query_params: query.params,
    clickhouse_settings: { ...settingsOf(limits), output_format_json_quote_64bit_integers: quoted },
  });
  return {
    rows: <T>(query: SqlQuery, limits: QueryLimits) =>
      measured(async () => {
        const result = await client.query({ ...ask(query, limits, 0), format: 'JSONEachRow' });
        return await result.json<T>();
      }),
    tree: (query, limits) =>
      measured(async () => {
        // as a subquery, whose rows take any format; ClickHouse counts it as a table function, which readonly = 1 forbids
        const asked = ask({ sql: `SELECT explain FROM (EXPLAIN AST ${query.sql})`, params: query.params }, limits, 0);
        const settings = { ...asked.clickhouse_settings, readonly: '2' as const };
        const result = await client.query({ ...asked, clickhouse_settings: settings, format: 'JSONEachRow' });
        return (await result.json<{ explain: string }>()).map((row) => row.explain).join('\n');
      }),
    table: (query, limits) =>
      measured(async (): Promise<ResultTable> => {
        const result = await client.query({ ...ask(query, limits, 1), format: 'JSONCompact' });
        const { meta, data } = (await result.json()) as unknown as { meta: ResultTable['columns']; data: unknown[][] };
        return { columns: meta.map(({ name, type }) => ({ name, type })), rows: data };
      }),
    bytes: (query, format, limits, signal) =>
      measured(async () => {
        const asked = ask({ sql: `${query.sql}\nFORMAT ${format}`, params: query.params }, limits, 1);
        // exec hands the raw body over; query() would parse it
        const { stream } = await client.exec({
          ...asked,
          clickhouse_settings: { ...asked.clickhouse_settings, ...exportSettings },
          abort_signal: signal,
        });
        return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
      }),
  };
}

function settingsOf(limits: QueryLimits) {
  return {
    readonly: '1' as const,
    max_execution_time: limits.maxSeconds,
    timeout_overflow_mode: 'throw' as const,
    // an analyst's ORDER BY stands in a subquery, and is meant
    query_plan_remove_redundant_sorting: 0 as const,
    optimize_duplicate_order_by_and_distinct: 0 as const,
    max_memory_usage: String(limits.maxMemoryBytes),
    ...(limits.maxRange && { function_range_max_elements_in_block: String(limits.maxRange) }),
    max_result_rows: String(limits.maxRows),
    result_overflow_mode: 'throw' as const,
  };
}

/** ClickHouse holds a few blocks of a result that is not being read: of 65,000 rows each, one for every thread, if it is left alone. */
const exportSettings = { max_block_size: '8192', output_format_parallel_formatting: 0 as const };

const awayTypes = new Set([
  'UNKNOWN_TABLE',
  'UNKNOWN_DATABASE',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'NETWORK_ERROR',
  'SERVER_OVERLOADED',
]);
const muchTypes = new Set([
  'MEMORY_LIMIT_EXCEEDED',
  'TOO_MANY_ROWS',
  'TOO_MANY_BYTES',
  'TOO_MANY_ROWS_OR_BYTES',
  'TOO_DEEP_RECURSION',
]);

function failureOf(error: unknown): WarehouseFailure {
  if (!(error instanceof ClickHouseError))
    return { kind: 'away', message: error instanceof Error ? error.message : String(error) };
  const message = error.message.replaceAll(/\s*\(version [^)]*\)/g, '').slice(0, 600);
  const type = error.type ?? '';
  if (awayTypes.has(type)) return { kind: 'away', message };
  if (type === 'TIMEOUT_EXCEEDED' || type === 'TOO_SLOW') return { kind: 'too-slow', message };
  if (muchTypes.has(type)) return { kind: 'too-much', message };
  return { kind: 'refused', message };
}
