/**
 * The real ClickHouse engine inside the product, in a process of its own behind ClickHouse's HTTP interface: started, watched,
 * kept within its memory, started again at the same URL when it dies, and gone with its parent.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, sleep } from '@millrace/clock';
import { Background, backoffMs, lockFolder } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { type EngineChild, FolderInUseError, startEngineChild } from './engine-child.ts';
import { type EngineObserver, noEngineObserver } from './metrics.ts';
import { stopStaleEngine } from './stale-engine.ts';

export interface EmbeddedClickHouseOptions {
  /** ClickHouse's own folder, e.g. `./data/clickhouse`; made with mode 0700. */
  readonly dataDir: string;
  /** Cap of the engine's memory, MB. The process itself may take a third more before it is started anew. */
  readonly memoryMb: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** See `clickhouseMetrics`. */
  readonly metrics?: EngineObserver;
  /** Wait for its start, ms; default 60 s. */
  readonly startDeadlineMs?: number;
  /** Queries and inserts that run at once, and how many of each may wait; defaults 6, 4 and 64. */
  readonly concurrency?: { readonly reads: number; readonly writes: number; readonly maxWaiting: number };
  /** Largest bodies, bytes: in memory (default 64 MiB) and, of inserts, in a file (default 4 GiB). */
  readonly limits?: { readonly memoryBytes: number; readonly fileBytes: number };
}

export interface EmbeddedClickHouse extends AsyncDisposable {
  /** For `openClickHouse`: 127.0.0.1, with the user's name and a password of this run. The same after restarts. */
  readonly url: string;
  readonly version: string;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly restarts: number;
}

const user = 'default';
/** Node and the engine's code, beside what the engine counts as its memory. */
const processOverheadMb = 400;

/** Opens the engine on `dataDir`. Throws with a text for the operator when it cannot. */
export async function openEmbeddedClickHouse(options: EmbeddedClickHouseOptions): Promise<EmbeddedClickHouse> {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // A Millrace that lives keeps others out; what one that was killed left behind is ours to stop.
  const lock = lockFolder(join(dataDir, 'owner.json'), dataDir);
  // The clock's timers do not keep Node running, but a start has to.
  const hold = setInterval(() => {}, 60_000);
  try {
    await stopStaleEngine(dataDir, options.clock, options.log);
    return await openLocked(options, dataDir, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  } finally {
    clearInterval(hold);
  }
}

async function openLocked(
  options: EmbeddedClickHouseOptions,
  dataDir: string,
  lock: Disposable,
): Promise<EmbeddedClickHouse> {
  const { log, clock, metrics = noEngineObserver } = options;
  const password = randomBytes(24).toString('base64url');
  const order = {
    kind: 'start' as const,
    dataDir,
    memoryMb: options.memoryMb,
    access: { user, password },
    concurrency: options.concurrency ?? { reads: 6, writes: 4, maxWaiting: 64 },
    limits: options.limits ?? { memoryBytes: 64 * 2 ** 20, fileBytes: 4 * 2 ** 30 },
  };
  const limitBytes = (options.memoryMb * 1.33 + processOverheadMb) * 1_000_000;
  let over = 0;
  let current: EngineChild | undefined;
  const start = (port: number): Promise<EngineChild> => {
    over = 0;
    return startEngineChild({
      order: { ...order, port },
      clock,
      startDeadlineMs: options.startDeadlineMs ?? 60_000,
      onStats: (stats) => {
        metrics.stats(stats.rssBytes, stats.running, stats.waiting);
        over = stats.rssBytes > limitBytes ? over + 1 : 0;
        if (over < 5) return;
        over = 0;
        log.error('clickhouse-over-memory', { rss_bytes: stats.rssBytes, limit_bytes: limitBytes });
        current?.kill();
      },
    });
  };
  current = await startWhenFree(() => start(0), clock, log);
  const { port, version } = current;
  log.info('clickhouse-started', { pid: current.pid, version });
  const running = new SupervisedEngine(
    () => start(port),
    current,
    clock,
    log,
    (child) => {
      current = child;
      metrics.restarted();
    },
  );
  return {
    url: `http://${user}:${password}@127.0.0.1:${port}`,
    version,
    get pid() {
      return running.pid;
    },
    get restarts() {
      return running.restarts;
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      lock[Symbol.dispose]();
    },
  };
}

/** The engine's own lock: of a process that this machine's list does not show, such as another container's. */
async function startWhenFree(start: () => Promise<EngineChild>, clock: Clock, log: Logger): Promise<EngineChild> {
  const deadline = clock.monotonicMs() + 8_000;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof FolderInUseError) || clock.monotonicMs() > deadline) throw error;
      log.debug('clickhouse-folder-in-use', { error });
      await sleep(clock, 300);
    }
  }
}

/** Keeps the process running: starts it again, with growing pauses, when it exits by itself. */
class SupervisedEngine {
  restarts = 0;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watch: Background;
  #current: EngineChild;
  #stopping = false;

  constructor(
    start: () => Promise<EngineChild>,
    first: EngineChild,
    clock: Clock,
    log: Logger,
    onRestart: (child: EngineChild) => void,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#current = first;
    this.#watch = new Background(
      (signal) => this.#run(start, signal, onRestart),
      (error) => log.error('clickhouse-watch-crashed', { error }),
    );
  }

  get pid(): number {
    return this.#current.pid;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const closing = this.#watch[Symbol.asyncDispose]();
    await this.#current.stop(5_000);
    await closing;
    await this.#current.stop(5_000); // it may have been starting again just then
  }

  async #run(
    start: () => Promise<EngineChild>,
    signal: AbortSignal,
    onRestart: (c: EngineChild) => void,
  ): Promise<void> {
    let lived = this.#clock.monotonicMs();
    let failures = 0;
    while (!signal.aborted) {
      const said = await this.#current.exited;
      if (this.#stopping) return;
      this.#log.error('clickhouse-died', { pid: this.#current.pid, said });
      if (this.#clock.monotonicMs() - lived > 60_000) failures = 0;
      for (; !signal.aborted; failures++) {
        if (failures > 0) await sleep(this.#clock, backoffMs(failures - 1, 250, 15_000, Math.random()), signal);
        if (signal.aborted) return;
        try {
          this.#current = await start();
          this.restarts++;
          failures++;
          lived = this.#clock.monotonicMs();
          onRestart(this.#current);
          const { pid, droppedTokens } = this.#current;
          this.#log.warn('clickhouse-restarted', { pid, restarts: this.restarts, dropped_tokens: droppedTokens });
          break;
        } catch (error) {
          this.#log.error('clickhouse-restart-failed', { error });
        }
      }
    }
  }
}
