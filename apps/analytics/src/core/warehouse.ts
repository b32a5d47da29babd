/** What analytics needs of ClickHouse to answer: bounded, read-only questions. Inserting is the sink's. */
import type { Result } from '@millrace/result';
import type { SqlQuery } from './sql-query.ts';

/** What one question may cost; ClickHouse stops it beyond. */
export interface QueryLimits {
  readonly maxSeconds: number;
  readonly maxMemoryBytes: number;
  readonly maxRows: number;
  /** Elements that `range()` may make. ClickHouse does not count what a constant one takes, so memory does not limit it. */
  readonly maxRange?: number;
}

export type WarehouseFailure =
  /** Not reachable, starting, or busy: the same question may succeed later. */
  | { readonly kind: 'away'; readonly message: string }
  | { readonly kind: 'too-slow'; readonly message: string }
  | { readonly kind: 'too-much'; readonly message: string }
  /** The statement is wrong; only those of analysts can be. */
  | { readonly kind: 'refused'; readonly message: string };

export type ExportFormat = 'CSVWithNames' | 'Parquet';

export interface ResultTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface Warehouse {
  /** Rows as objects by column name; 64-bit integers as numbers. */
  rows<T>(query: SqlQuery, limits: QueryLimits): Promise<Result<readonly T[], WarehouseFailure>>;
  /** How ClickHouse parses `query`, a line a node; parses and does nothing else. */
  tree(query: SqlQuery, limits: QueryLimits): Promise<Result<string, WarehouseFailure>>;
  /** The rows with their columns' names and types; 64-bit integers as text. */
  table(query: SqlQuery, limits: QueryLimits): Promise<Result<ResultTable, WarehouseFailure>>;
  /** The result as bytes of `format`, read as fast as it is taken; stops when `signal` aborts. */
  bytes(
    query: SqlQuery,
    format: ExportFormat,
    limits: QueryLimits,
    signal: AbortSignal,
  ): Promise<Result<ReadableStream<Uint8Array>, WarehouseFailure>>;
}
