import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError } from '@millrace/clickhouse';
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import type { SqlQuery } from '../core/sql-query.ts';
import type { QueryLimits, ResultTable, Warehouse, WarehouseFailure } from '../core/warehouse.ts';
import type { AnalyticsMetrics } from '../metrics.ts';

export interface WarehouseDeps {
  /** Without a limit on silence: each question has its own. A result may be read slowly, or be long in coming. */
  readonly client: ClickHouseClient;
  readonly log: Logger;
  readonly metrics: Pick<AnalyticsMetrics, 'queries' | 'querySeconds'>;
  readonly clock: Clock;
}

/** ClickHouse ends a question itself when its time is over; one that has not said so by then is away, ms. */
const slackMs = 10_000;

/** Questions to ClickHouse over its HTTP interface. */
export function createClickHouseWarehouse(deps: WarehouseDeps): Warehouse {
  const { client, metrics, log, clock } = deps;

  /** Runs a question until its time is over; `run` may keep the limit for what goes on after its answer has begun. */
  async function measured<T>(
    limits: QueryLimits,
    run: (limit: TimeLimit) => Promise<T>,
  ): Promise<Result<T, WarehouseFailure>> {
    const startedMs = clock.monotonicMs();
    const limit = openTimeLimit(clock, limits.maxSeconds * 1_000 + slackMs);
    try {
      const value = await run(limit);
      metrics.queries.inc({ outcome: 'answered' });
      return ok(value);
    } catch (error) {
      limit.cancel();
      const failure = failureOf(limit.signal.aborted ? limit.signal.reason : error);
      metrics.queries.inc({ outcome: failure.kind });
      if (failure.kind !== 'refused') log.warn('query-failed', { kind: failure.kind, error });
      return err(failure);
    } finally {
      if (!limit.kept) limit.cancel();
      metrics.querySeconds.observe((clock.monotonicMs() - startedMs) / 1000);
    }
  }

  const ask = (query: SqlQuery, limits: QueryLimits, quoted: 0 | 1, { signal }: TimeLimit) => ({
    query: query.sql,
    query_params: query.params,
    abort_signal: signal,
    clickhouse_settings: { ...settingsOf(limits), output_format_json_quote_64bit_integers: quoted },
  });
  return {
    rows: <T>(query: SqlQuery, limits: QueryLimits) =>
      measured(limits, async (limit) => {
        const result = await client.query({ ...ask(query, limits, 0, limit), format: 'JSONEachRow' });
        return await result.json<T>();
      }),
    tree: (query, limits) =>
      measured(limits, async (limit) => {
        // as a subquery, whose rows take any format; ClickHouse counts it as a table function, which readonly = 1 forbids
        const explain = { sql: `SELECT explain FROM (EXPLAIN AST ${query.sql})`, params: query.params };
        const asked = ask(explain, limits, 0, limit);
        const settings = { ...asked.clickhouse_settings, readonly: '2' as const };
        const result = await client.query({ ...asked, clickhouse_settings: settings, format: 'JSONEachRow' });
        return (await result.json<{ explain: string }>()).map((row) => row.explain).join('\n');
      }),
    table: (query, limits) =>
      measured(limits, async (limit): Promise<ResultTable> => {
        const result = await client.query({ ...ask(query, limits, 1, limit), format: 'JSONCompact' });
        const { meta, data } = (await result.json()) as unknown as { meta: ResultTable['columns']; data: unknown[][] };
        return { columns: meta.map(({ name, type }) => ({ name, type })), rows: data };
      }),
    bytes: (query, format, limits, signal) =>
      measured(limits, async (limit) => {
        const asked = ask({ sql: `${query.sql}\nFORMAT ${format}`, params: query.params }, limits, 1, limit);
        // exec hands the raw body over; query() would parse it
        const { stream } = await client.exec({
          ...asked,
          clickhouse_settings: { ...asked.clickhouse_settings, ...exportSettings },
          abort_signal: AbortSignal.any([signal, limit.signal]),
        });
        // its reader may take as long as the statement may
        limit.kept = true;
        const stop = () => stream.destroy(limit.signal.reason as Error);
        limit.signal.addEventListener('abort', stop, { once: true });
        stream.once('close', () => {
          limit.signal.removeEventListener('abort', stop);
          limit.cancel();
        });
        return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
      }),
  };
}

interface TimeLimit {
  readonly signal: AbortSignal;
  /** Somebody else cancels it. */
  kept: boolean;
  cancel(): void;
}

function openTimeLimit(clock: Clock, ms: number): TimeLimit {
  const over = new AbortController();
  const timer = clock.after(ms, () =>
    over.abort(new Error(`ClickHouse had not answered to the end after ${ms / 1_000} s`)),
  );
  return { signal: over.signal, kept: false, cancel: () => timer.cancel() };
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
