/** One run of the engine's process: started, awaited until it answers, watched, stopped. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '@millrace/clock';

/** What the parent tells the engine's process. */
export type EngineOrder =
  | {
      readonly kind: 'start';
      readonly dataDir: string;
      readonly memoryMb: number;
      /** 0: any. */
      readonly port: number;
      readonly access: { readonly user: string; readonly password: string };
      readonly concurrency: { readonly reads: number; readonly writes: number; readonly maxWaiting: number };
      readonly limits: { readonly memoryBytes: number; readonly fileBytes: number };
    }
  | { readonly kind: 'stop' };

/** What it says. */
export type EngineReport =
  | { readonly kind: 'ready'; readonly port: number; readonly version: string; readonly droppedTokens: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stats'; readonly rssBytes: number; readonly running: number; readonly waiting: number };

export interface EngineChild {
  readonly pid: number;
  readonly port: number;
  readonly version: string;
  readonly droppedTokens: number;
  /** Resolves with its last words when the process is gone. */
  readonly exited: Promise<string>;
  kill(): void;
  /** Lets it end by itself, then by force after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

export interface EngineChildOptions {
  readonly order: EngineOrder & { readonly kind: 'start' };
  readonly clock: Clock;
  readonly startDeadlineMs: number;
  readonly onStats: (stats: EngineReport & { kind: 'stats' }) => void;
}

/** Libuv's threads: one for each query that may run, and some for files and compression. */
const spareThreads = 8;

/** Starts the process and resolves when it answers. Rejects with a text for the operator when it does not. */
export async function startEngineChild(options: EngineChildOptions): Promise<EngineChild> {
  const { order, clock } = options;
  const threads = order.concurrency.reads + order.concurrency.writes + spareThreads;
  // A bundle has a built file in its place, which needs no loader.
  const entry = new URL('./engine-process.ts', import.meta.url);
  const loader = entry.pathname.endsWith('.ts') ? ['--import', createRequire(import.meta.url).resolve('tsx')] : [];
  const child = fork(fileURLToPath(entry), [String(process.pid), order.dataDir], {
    execArgv: [...loader, '--max-old-space-size=1024'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC', UV_THREADPOOL_SIZE: String(threads) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
  });
  const exited = lastWords(child);
  const ready = new Promise<EngineReport & { kind: 'ready' }>((resolve, reject) => {
    child.on('message', (report: EngineReport) => {
      if (report.kind === 'ready') resolve(report);
      else if (report.kind === 'failed') reject(new Error(report.message));
      else options.onStats(report);
    });
    child.once('error', reject);
    void exited.then((said) => reject(new Error(`the engine's process ended: ${said}`)));
  });
  const stop = async (deadlineMs: number) => {
    if (child.connected) child.send({ kind: 'stop' } satisfies EngineOrder, () => {});
    const late = new AbortController();
    void sleep(clock, deadlineMs, late.signal).then(() => child.kill('SIGKILL'));
    await exited;
    late.abort();
  };
  const started = new AbortController();
  try {
    child.send(order, () => {});
    const late = sleep(clock, options.startDeadlineMs, started.signal).then(() => {
      if (!started.signal.aborted) throw new Error(`it did not answer within ${options.startDeadlineMs} ms`);
      return undefined;
    });
    const report = await Promise.race([ready, late]);
    if (report === undefined) throw new Error('started and aborted at once');
    const { port, version, droppedTokens } = report;
    return { pid: child.pid ?? 0, port, version, droppedTokens, exited, kill: () => child.kill('SIGKILL'), stop };
  } catch (error) {
    child.kill('SIGKILL');
    const said = await exited;
    const why = error instanceof Error ? error.message : String(error);
    if (said.includes('Cannot lock file') || why.includes('is in use by process')) throw new FolderInUseError(why);
    throw new Error(`the embedded ClickHouse did not start: ${why}${why.includes(said) ? '' : ` (${said})`}`);
  } finally {
    started.abort();
  }
}

/** Another engine has the data folder. */
export class FolderInUseError extends Error {}

function lastWords(child: ChildProcess): Promise<string> {
  let errors = '';
  child.stderr?.on('data', (data: Buffer) => {
    errors = (errors + data.toString('utf8')).slice(-2_000);
  });
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(errors.trim() || `exit ${signal ?? code}`));
    child.once('error', (error) => resolve(error.message));
  });
}
