/** An engine that outlived its Millrace (kill -9), on a folder that is ours now. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, sleep } from '@millrace/clock';
import { isAlive, startMark } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';

/** Names the process that has the engine's files open, in the form of `lockFolder`. */
export const engineLockFile = (dataDir: string): string => join(dataDir, 'engine.json');

const pollMs = 20;

/**
 * Stops the engine that the folder names, when there is one: SIGTERM, after a second SIGKILL. Only for whoever holds the folder's
 * owner lock: then the Millrace that started it is gone. Its id alone proves nothing; its start time has to be the noted one as
 * well. Resolves when no thread of it is left, so that its last write is done before its files are repaired. Throws with a text for
 * the operator when it stays.
 */
export async function stopStaleEngine(dataDir: string, clock: Clock, log: Logger): Promise<'none' | 'stopped'> {
  const engine = readEngine(engineLockFile(dataDir));
  if (engine === undefined || !isSame(engine)) return 'none';
  const { pid } = engine;
  log.warn('clickhouse-stale-stopping', { pid, folder: dataDir });
  for (const [signal, waitMs] of [
    ['SIGTERM', 1_000],
    ['SIGKILL', 10_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // ESRCH: it ended just now. Another user's process cannot be stopped, but may end by itself.
      log.debug('clickhouse-stale-signal-failed', { pid, signal, error });
    }
    const until = clock.monotonicMs() + waitMs;
    while (clock.monotonicMs() < until) {
      if (!isSame(engine)) return 'stopped';
      await sleep(clock, pollMs);
    }
  }
  throw new Error(
    `the data folder ${dataDir} is in use by process ${pid}, the engine of a Millrace that is gone, and it does not end: stop it first`,
  );
}

interface Engine {
  readonly pid: number;
  readonly started: string;
}

/** Whether the process, or a thread of it that is still ending, is there. */
function isSame({ pid, started }: Engine): boolean {
  return (isAlive(pid) || hasThreads(pid)) && startMark(pid) === started;
}

/** A process is a zombie for /proc as soon as its first thread has ended; the others may be in their last write. */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

function readEngine(file: string): Engine | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Engine>;
    if (!Number.isInteger(pid) || Number(pid) <= 1 || typeof started !== 'string') return undefined;
    return { pid: Number(pid), started };
  } catch {
    return undefined; // none yet, or torn by a crash: nobody's
  }
}
