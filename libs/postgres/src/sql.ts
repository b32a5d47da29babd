import postgres from 'postgres';
import { arrayTypes } from './array-types.ts';
import { withSafeBegin } from './safe-begin.ts';
import { openSteadySocket } from './steady-socket.ts';

/** int8 comes and goes as bigint: offsets and counters beyond 2^53 stay exact. */
const types = { bigint: postgres.BigInt, ...arrayTypes };
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
 * Blanks that make the first message of a connection longer than 1,024 bytes. postgres.js 3.4.9 flushes shorter ones with
 * a timer, and a connection that is lost while that timer is set never sets it again: its next start-up message would
 * stay unsent for ever, so a pool would not come back after the server was killed.
 */
const startupPadding = ' '.repeat(1_024);

/**
 * Opens a pool on `url` (`postgres://user:password@host/db`, or with `?host=/folder` for a unix socket). It connects when
 * it is first used, and again after an outage; close it with `sql.end()`.
 */
export function openSql(url: string, options: SqlOptions): Sql {
  const parsed = new URL(url);
  const socketFolder = parsed.searchParams.get('host');
  parsed.searchParams.delete('host');
  const socket = socketFolder === null ? {} : { path: `${socketFolder}/.s.PGSQL.${parsed.port || '5432'}` };
  const secure = parsed.searchParams.has('sslmode') && parsed.searchParams.get('sslmode') !== 'disable';
  // postgres.js has no type for this option; it calls it with its own options and takes what it returns for the socket.
  const steady = secure ? {} : ({ socket: openSteadySocket } as object);
  const opened = postgres(parsed.toString(), {
    ...socket,
    ...steady,
    types,
    fetch_types: false, // see array-types.ts
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
      options: startupPadding,
    },
  });
  return withSafeBegin(opened);
}

/**
 * One connection of its own to the server of `sql`, for session state such as advisory locks, shown in pg_stat_activity as
 * `{applicationName}-session`. A lost connection is replaced silently, so what relies on the session must be able to tell. Close
 * it with `end()`.
 * (`sql.reserve()` never resolves on a new connection when array types are not fetched.)
 */
export function openSession(sql: Sql): Sql {
  // Parsed options stand in for connection parameters, as postgres.js itself opens its LISTEN connection.
  const { connection } = sql.options;
  const named = { ...connection, application_name: `${connection.application_name}-session` };
  const options = { ...sql.options, connection: named, max: 1, idle_timeout: null, max_lifetime: null };
  return withSafeBegin(postgres(options as unknown as postgres.Options<typeof types>));
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
