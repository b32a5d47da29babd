/**
 * The engine in this process: npm `chdb`'s addon. Its JavaScript sessions cannot insert every format, so the addon below them is
 * used; it is found through chdb's own loader, and the version is pinned. Calls run on libuv's threads, one connection each.
 */
import { createRequire } from 'node:module';

/** An open connection: opaque, with settings and parameters of its own. */
export type Connection = object & { readonly connection?: unique symbol };

export interface EngineResult {
  /** Empty when there is no result, or when it went to a file. */
  readonly bytes: Uint8Array;
  readonly elapsedS: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface InsertResult {
  readonly rowsWritten: number;
  readonly bytesWritten: number;
  readonly elapsedS: number;
}

export interface NativeEngine {
  readonly version: string;
  /** Opens a connection: under a millisecond once the engine runs. */
  connect(): Connection;
  close(connection: Connection): void;
  /** Runs one query; never call it twice at once on one connection. */
  query(connection: Connection, sql: string, format: string): Promise<EngineResult>;
  /** Runs an INSERT with its rows as they came from the wire, not copied. */
  insert(connection: Connection, prefix: string, rows: Uint8Array): Promise<InsertResult>;
}

interface Addon {
  CreateConnection(path: string, args: readonly string[]): Connection;
  CloseConnection(connection: Connection): void;
  QueryAsyncConnection(
    connection: Connection,
    sql: string,
    format: string,
  ): Promise<{ bytes: Uint8Array; elapsed: number; rowsRead: number; bytesRead: number }>;
  InsertRawAsyncConnection(
    connection: Connection,
    prefix: string,
    rows: Uint8Array,
    countLines: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number; elapsed: number }>;
}

/** A machine without the engine's binary. */
class EngineMissingError extends Error {}

export interface NativeEngineOptions {
  readonly dataDir: string;
  /** Of the engine's allocations, MB. */
  readonly memoryMb: number;
}

/** Starts the engine on `dataDir`. Throws when it has no binary here or the folder is in use or damaged. */
export async function openNativeEngine(options: NativeEngineOptions): Promise<NativeEngine> {
  const addon = loadAddon();
  const megabyte = 1_000_000;
  // Caches are part of the engine's memory: left alone, each may take 5 GB.
  const args = [
    `--max_server_memory_usage=${options.memoryMb * megabyte}`,
    `--mark_cache_size=${Math.round((options.memoryMb * megabyte) / 16)}`,
    `--primary_index_cache_size=${Math.round((options.memoryMb * megabyte) / 16)}`,
    `--max_memory_usage=${Math.round(options.memoryMb * megabyte * 0.6)}`,
    '--async_load_databases=0',
    // An insert is durable in the sense of a process kill; async inserts would acknowledge from memory.
    '--async_insert=0',
  ];
  const connect = () => addon.CreateConnection(options.dataDir, args);
  // Held for good: the engine stops with its last connection.
  const first = connect();
  const asked = await addon.QueryAsyncConnection(first, 'SELECT version()', 'TabSeparated');
  return {
    version: Buffer.from(asked.bytes).toString('utf8').trim(),
    connect,
    close: (connection) => addon.CloseConnection(connection),
    query: async (connection, sql, format) => {
      const { bytes, elapsed, rowsRead, bytesRead } = await addon.QueryAsyncConnection(connection, sql, format);
      return { bytes: bytes ?? new Uint8Array(), elapsedS: elapsed, rowsRead, bytesRead };
    },
    insert: async (connection, prefix, rows) => {
      const done = await addon.InsertRawAsyncConnection(connection, prefix, rows, false);
      return { rowsWritten: done.rowsWritten, bytesWritten: done.bytesWritten, elapsedS: done.elapsed };
    },
  };
}

function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  try {
    const inChdb = createRequire(require.resolve('chdb'));
    const loader = inChdb('./dist/loader.js') as { loadNative(): Addon };
    return loader.loadNative();
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EngineMissingError(
      `no embedded ClickHouse engine for ${process.platform}-${process.arch} (${why}): set CLICKHOUSE_URL to a ClickHouse server, ` +
        'or install where npm package chdb 3.4.0 has a binary (Linux with glibc, macOS)',
    );
  }
}
