import postgres from 'postgres';

/** int8 comes and goes as bigint: offsets and counters beyond 2^53 stay exact. */
const types = { bigint: postgres.BigInt };
export type Sql = postgres.Sql<{ bigint: bigint }>;
export type TransactionSql = postgres.TransactionSql<{ bigint: bigint }>;

export interface SqlOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly maxConnections?: number;
  /** Longest statement, ms; default 15 s. 0: no limit. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutS?: number;
  /** Idle connections are closed after this, s; default 300. */
  readonly idleTimeoutS?: number;
}

/**
 * Opens a pool on `url` (`postgres://user:password@host/db`, or with `?host=/folder` for a unix socket). It connects when
 * it is first used, and again after an outage; close it with `sql.end()`.
 */
export function openSql(url: string, options: SqlOptions): Sql {
  const parsed = new URL(url);
  const socketFolder = parsed.searchParams.get('host');
  parsed.searchParams.delete('host');
  const socket = socketFolder === null ? {} : { path: `${socketFolder}/.s.PGSQL.${parsed.port || '5432'}` };
  return postgres(parsed.toString(), {
    ...socket,
    types,
    max: options.maxConnections ?? 10,
    connect_timeout: options.connectTimeoutS ?? 5,
    idle_timeout: options.idleTimeoutS ?? 300,
    // The default backs off to 20 s; after an outage services should be back within about a second.
    backoff: (retries: number) => Math.min(1, 0.05 * 2 ** retries),
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs ?? 15_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  });
}

/** SQLSTATE classes after which the same transaction may succeed: connection, conflict, resources, operator, start-up. */
const retryableStates = /^(08|53|57P0|40001|40P01|55P03|25006)/;
const retryableCodes = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ENOENT',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EAI_AGAIN',
    'ENOTFOUND',
  ],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
]);

/** Whether a failed statement may succeed when it is tried again: the server was away, or somebody else was in the way. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return retryableCodes.has(error.code) || retryableStates.test(error.code);
}
