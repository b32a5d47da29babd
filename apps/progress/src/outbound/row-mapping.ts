import type postgres from 'postgres';

/** A pool or a transaction: whatever can run a query. int8 comes as bigint, as @millrace/postgres opens its pools. */
export type Queryable = postgres.ISql<{ bigint: bigint }>;

/** Milliseconds of a nullable timestamptz column. */
export function optionalMs(date: Date | null): number | undefined {
  return date === null ? undefined : date.getTime();
}

/** A timestamptz parameter of a time that may be absent. */
export function optionalDate(timeMs: number | undefined): Date | null {
  return timeMs === undefined ? null : new Date(timeMs);
}

/** RFC 3339 inside a JSON parameter, from which `jsonb_to_recordset` reads a timestamptz. */
export function jsonTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
