/**
 * A real PostgreSQL inside the product: made, started, watched and stopped by us. It is opened first and closed last, and
 * is started again when it dies.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { type Clock, sleep, systemClock } from '@millrace/clock';
import { Background, backoffMs, lockFolder } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { findPostgresBinaries } from './binaries.ts';
import { clusterFiles, ensureCluster, socketFolder, superuser } from './cluster-files.ts';
import { clearStalePostmaster, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.ts';
import { chooseIdentity, type RunIdentity } from './run-identity.ts';

export interface EmbeddedPostgresOptions {
  /** PostgreSQL's own folder, e.g. `./data/postgres`; made with mode 0700. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** `tcp`: 127.0.0.1 on a free port with a password, instead of a unix socket. */
  readonly listen?: 'socket' | 'tcp';
  /** Wait for its start, ms (crash recovery included); default 60 s. */
  readonly startDeadlineMs?: number;
  /** Wait for a fast shutdown, ms, before an immediate one; default 10 s. */
  readonly stopDeadlineMs?: number;
  /** Overrides of postgresql.conf settings. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** As whom to run it; chosen by default. */
  readonly identity?: RunIdentity;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** For `openSql`; a unix socket's folder stands in `?host=`. Holds the password on tcp. */
  readonly connectionUrl: string;
  /** The URL of another database in the same cluster. */
  urlOf(database: string): string;
  readonly port: number;
  /** Of the postmaster that runs now. */
  readonly pid: number;
  /** How often it had to be started again. */
  readonly restarts: number;
  readonly identity: RunIdentity;
}

/** Modest memory for a machine that also packages video; durable: fsync stays on. */
const settings = {
  ...{ shared_buffers: '32MB', max_connections: 60, work_mem: '4MB', maintenance_work_mem: '32MB' },
  ...{
    max_wal_size: '256MB',
    min_wal_size: '32MB',
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
  },
  ...{ huge_pages: 'off', jit: 'off', io_method: 'sync', max_parallel_workers_per_gather: 0 },
  ...{ fsync: 'on', synchronous_commit: 'on', log_min_messages: 'warning', log_checkpoints: 'off' },
  ...{ timezone: 'UTC', log_timezone: 'UTC', checkpoint_timeout: '15min', autovacuum_naptime: '30s' },
} as const;

/** Opens the cluster in `dataDir`, making it on the first start. Throws with a text for the user when it cannot. */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, clock = systemClock } = options;
  const files = clusterFiles(resolve(options.dataDir));
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  chmodSync(files.folder, 0o700);
  const lock = lockFolder(join(files.folder, 'owner.json'), files.folder);
  try {
    const binaries = findPostgresBinaries();
    const identity = options.identity ?? chooseIdentity(files.cluster);
    await clearStalePostmaster(files.cluster, clock, log);
    if (ensureCluster(files, binaries, identity) === 'made')
      log.info('postgres-cluster-made', { folder: files.cluster });
    const socket = options.listen === 'tcp' ? undefined : socketFolder(files, identity);
    const port = socket === undefined ? await freePort() : 5432;
    const start = () =>
      startPostmaster({
        ...{ postgres: binaries.postgres, cluster: files.cluster, identity, log, clock },
        startDeadlineMs: options.startDeadlineMs ?? 60_000,
        settings: { ...settings, ...listenSettings(socket, port), ...options.settings },
      });
    const running = new SupervisedPostmaster(start, await start(), clock, log);
    log.debug('postgres-started', { pid: running.pid, identity: identity.kind });
    const urlOf = (database: string) => {
      if (socket !== undefined)
        return `postgres://${superuser}@localhost:${port}/${database}?host=${encodeURIComponent(socket)}`;
      return `postgres://${superuser}:${readFileSync(files.passwordFile, 'utf8').trim()}@127.0.0.1:${port}/${database}`;
    };
    return {
      ...{ connectionUrl: urlOf('postgres'), urlOf, port, identity },
      get pid() {
        return running.pid;
      },
      get restarts() {
        return running.restarts;
      },
      [Symbol.asyncDispose]: async () => {
        await running.stop(options.stopDeadlineMs ?? 10_000);
        if (socket !== undefined && !socket.startsWith(files.folder)) rmSync(socket, { recursive: true, force: true });
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Keeps the postmaster running: starts it again, with growing pauses, when it exits by itself. */
class SupervisedPostmaster {
  restarts = 0;
  readonly #clock: Clock;
  readonly #watch: Background;
  readonly #log: Logger;
  #current: Postmaster;
  #stopping = false;

  constructor(start: () => Promise<Postmaster>, first: Postmaster, clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
    this.#current = first;
    this.#watch = new Background(
      (signal) => this.#run(start, signal),
      (error) => log.error('postgres-watch-crashed', { error }),
    );
  }

  get pid(): number {
    return this.#current.pid;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    const closing = this.#watch[Symbol.asyncDispose]();
    const clean = await stopPostmaster(this.#current.pid, this.#clock, deadlineMs);
    if (!clean) this.#log.warn('postgres-stopped-hard', { deadline_ms: deadlineMs });
    await closing;
    // It may have been starting again just then.
    await stopPostmaster(this.#current.pid, this.#clock, deadlineMs);
  }

  async #run(start: () => Promise<Postmaster>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const said = await this.#current.exited;
      if (this.#stopping) return;
      this.#log.error('postgres-died', { pid: this.#current.pid, said });
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          this.#current = await start();
          this.restarts++;
          this.#log.warn('postgres-restarted', { pid: this.#current.pid, restarts: this.restarts });
          break;
        } catch (error) {
          this.#log.error('postgres-restart-failed', { error });
          await sleep(this.#clock, backoffMs(attempt, 250, 15_000, Math.random()), signal);
        }
      }
    }
  }
}

function listenSettings(socket: string | undefined, port: number): Record<string, string | number> {
  if (socket === undefined) return { listen_addresses: '127.0.0.1', port, unix_socket_directories: '' };
  return { listen_addresses: '', port, unix_socket_directories: socket, unix_socket_permissions: '0700' };
}

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolvePort(address.port) : reject(new Error('no port')),
      );
    });
  });
}
