import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type Logger as ClientLogger,
  createClient,
} from '@clickhouse/client';
import type { Logger } from '@millrace/log';

export interface OpenClickHouseOptions {
  /** `http(s)://user:password@host:8123` */
  readonly url: string;
  readonly database: string;
  readonly log: Logger;
  /** Shown in the server's logs. */
  readonly application?: string;
  readonly maxConnections?: number;
  /**
   * Longest silence of a connection that is in use, ms; default 30 s. It counts while a result is not read, too: 0, for none, where each
   * call has a limit of its own.
   */
  readonly requestTimeoutMs?: number;
}

/**
 * Opens a client; the database need not exist yet (`runClickHouseMigrations` makes it). Settings that servers of different ages
 * have different defaults for are set explicitly. Close it with `close()`.
 */
export function openClickHouse(options: OpenClickHouseOptions): Promise<ClickHouseClient> {
  const { log } = options;
  class LibraryLogger implements ClientLogger {
    trace() {}
    debug() {}
    info() {}
    warn({ message, err }: { message: string; err?: Error }) {
      log.debug('clickhouse-client', { said: message, error: err });
    }
    error({ message, err }: { message: string; err?: Error }) {
      log.debug('clickhouse-client', { said: message, error: err });
    }
  }
  const client = createClient({
    url: options.url,
    database: options.database,
    application: options.application ?? 'millrace',
    max_open_connections: options.maxConnections ?? 16,
    request_timeout: options.requestTimeoutMs ?? 30_000,
    compression: { request: false, response: false },
    keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
    clickhouse_settings: { async_insert: 0, date_time_input_format: 'best_effort' },
    log: { LoggerClass: LibraryLogger, level: ClickHouseLogLevel.WARN },
  });
  return Promise.resolve(client);
}
