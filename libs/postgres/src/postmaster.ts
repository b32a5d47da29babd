/** One run of the postgres process: spawned in a session of its own, so that a terminal's Ctrl-C reaches only us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type Clock, sleep } from '@millrace/clock';
import { isAlive } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { postgresEnv } from './cluster-files.ts';
import { isPostmasterOf } from './process-probe.ts';
import { planSpawn, type RunIdentity } from './run-identity.ts';

export interface PostmasterOptions {
  readonly postgres: string;
  readonly cluster: string;
  readonly identity: RunIdentity;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly startDeadlineMs: number;
}

export interface Postmaster {
  readonly pid: number;
  /** Settles when the process is gone, with what it printed last. */
  readonly exited: Promise<string>;
}

const pollMs = 15;

/** Starts PostgreSQL and waits until it takes connections. Throws with what it said when it does not. */
export function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  return holdingProcess(() => start(options));
}

async function start(options: PostmasterOptions): Promise<Postmaster> {
  const { cluster, clock } = options;
  const deadline = clock.monotonicMs() + options.startDeadlineMs;
  for (;;) {
    const child = spawnPostmaster(options);
    const last = keepLastLines(child, options.log);
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(String(error)));
      child.once('exit', () => setImmediate(() => resolve(last())));
    });
    let gone = false;
    void exited.then(() => {
      gone = true;
    });
    while (!gone && clock.monotonicMs() < deadline) {
      const file = readPidFile(cluster);
      if (child.pid !== undefined && file?.pid === child.pid && file.status === 'ready')
        return { pid: child.pid, exited };
      await sleep(clock, pollMs);
    }
    if (!gone) {
      child.kill('SIGQUIT');
      throw new Error(`PostgreSQL was not ready within ${options.startDeadlineMs} ms: ${last()}`);
    }
    // Backends of a killed postmaster notice within moments that it is gone; until then they hold its shared memory.
    const passing = /pre-existing shared memory block|lock file .* already exists/.test(last());
    if (!passing || clock.monotonicMs() > deadline) throw new Error(`PostgreSQL did not start: ${last()}`);
    await sleep(clock, 200);
  }
}

/** Stops a postmaster: fast shutdown, after `deadlineMs` immediate, in the end kill. True when it closed cleanly. */
export function stopPostmaster(pid: number, clock: Clock, deadlineMs: number): Promise<boolean> {
  return holdingProcess(() => stop(pid, clock, deadlineMs));
}

async function stop(pid: number, clock: Clock, deadlineMs: number): Promise<boolean> {
  for (const [signal, waitMs] of [
    ['SIGINT', deadlineMs],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isAlive(pid)) return true;
    process.kill(pid, signal);
    const until = clock.monotonicMs() + waitMs;
    while (clock.monotonicMs() < until) {
      if (!isAlive(pid)) return signal === 'SIGINT';
      await sleep(clock, pollMs);
    }
  }
  return false;
}

/**
 * Stops a postmaster that outlived a killed Millrace, and removes a pid file that names somebody else's process (ids are
 * reused, in containers all the time), over which PostgreSQL would refuse to start.
 */
export async function clearStalePostmaster(
  cluster: string,
  clock: Clock,
  log: Logger,
): Promise<'none' | 'stopped' | 'removed'> {
  const file = readPidFile(cluster);
  if (file === undefined) return 'none';
  if (isAlive(file.pid) && isPostmasterOf(file.pid, cluster)) {
    log.info('postgres-stale-stopping', { pid: file.pid });
    await stopPostmaster(file.pid, clock, 15_000);
    return 'stopped';
  }
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  return 'removed';
}

/** The first and eighth line of postmaster.pid: the process and `starting`, `ready`, `stopping` (miscadmin.h). */
function readPidFile(cluster: string): { pid: number; status: string | undefined } | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, status: lines[7]?.trim() } : undefined;
  } catch {
    return undefined;
  }
}

/** The clock's timers do not keep Node running, but a start or stop in progress has to. */
async function holdingProcess<T>(work: () => Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 60_000);
  try {
    return await work();
  } finally {
    clearInterval(hold);
  }
}

function spawnPostmaster(options: PostmasterOptions): ChildProcess {
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const plan = planSpawn(options.identity, options.postgres, ['-D', options.cluster, ...settings]);
  const child = spawn(plan.command, plan.args, {
    ...plan.options,
    ...{ cwd: options.cluster, env: postgresEnv(), detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  child.unref();
  return child;
}

/** Passes PostgreSQL's own log on to ours and keeps the last lines for error texts. */
function keepLastLines(child: ChildProcess, log: Logger): () => string {
  const kept: string[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-4_096);
    for (const line of lines) {
      kept.push(line);
      if (kept.length > 12) kept.shift();
      if (/\b(FATAL|PANIC):/.test(line)) log.warn('postgres-said', { line });
      else log.debug('postgres-said', { line });
    }
  });
  // A pipe is a socket, whose handle would keep Node running.
  if (child.stderr instanceof Socket) child.stderr.unref();
  return () => [...kept, rest].filter(Boolean).join('\n') || 'it said nothing';
}
