import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@millrace/clock';
import { jobLeaseMs, openJobLeaseServer } from '@millrace/handover';
import { aProbeTask, createMemoryJobLeases } from '@millrace/handover/testing';
import { type HttpServer, openHttpServer } from '@millrace/http';
import { isAlive } from '@millrace/lifecycle';
import { silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openScratchSpace } from './outbound/scratch-space.ts';

const serviceToken = 'a-service-token-for-tests';
const clock = systemClock;
/** By how much the desk is ahead of the workers, ms. */
let aheadMs: number;
const deskClock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };

let dir: string;
let desk: ReturnType<typeof createMemoryJobLeases>;
let leases: ReturnType<typeof openJobLeaseServer>;
let http: HttpServer;
let started: ChildProcess[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-worker-'));
  aheadMs = 0;
  desk = createMemoryJobLeases(deskClock);
  leases = openJobLeaseServer({ leases: desk, serviceToken, log: silentLogger });
  http = await openHttpServer({ host: '127.0.0.1', port: 0, mounts: [leases.mount], log: silentLogger });
  started = [];
});
afterEach(async () => {
  for (const child of started) if (isAlive(child.pid ?? 0)) child.kill('SIGKILL');
  await leases[Symbol.asyncDispose]();
  await http[Symbol.asyncDispose]();
  desk[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

const scratch = () => join(dir, 'scratch', 'transcode-1');
const folders = () => readdirSync(scratch()).filter((name) => !name.startsWith('.'));
const soon = (check: () => void, timeout = 10_000) => vi.waitFor(check, { timeout, interval: 5 });

/** A worker's process, and what it found of an earlier one. */
async function aWorker(): Promise<{ process: ChildProcess; left: unknown }> {
  const entry = new URL('./crashing-worker.ts', import.meta.url).pathname;
  const args = ['--import', 'tsx', entry, `http://127.0.0.1:${http.port}`, serviceToken, dir];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, left: JSON.parse(said.toString().replace('ready', '')) as unknown };
}

/** Processes that name this test's folder, the workers aside. */
function encoders(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || started.some((child) => child.pid === pid)) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(scratch()) && isAlive(pid) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('a worker with real encoders', { timeout: 60_000 }, () => {
  it('leaves no process when it is killed, and no scratch space after its next start', async () => {
    const first = await aWorker();
    expect(first.left).toEqual({ processes: 0, folders: 0 });
    for (const id of ['one', 'two']) desk.add(aProbeTask(id));
    await soon(() => expect([...desk.tasks.values()].every(({ done }) => done > 0)).toBe(true));
    expect([encoders().length, folders().sort()]).toEqual([2, ['one.1', 'two.1']]);
    await kill(first.process);
    await soon(() => expect(encoders()).toEqual([]), 5_000);
    expect(folders()).toHaveLength(2);
    desk.cancel('two');
    aheadMs += jobLeaseMs;
    const second = await aWorker();
    expect(second.left).toEqual({ processes: 0, folders: 2 });
    await soon(() => expect([folders(), desk.tasks.get('one')!.fence]).toEqual([['one.2'], 2]));
    await soon(() => expect(desk.tasks.get('two')!.state.kind).toBe('cancelled'));
    // And a drain gives back what it has.
    const gone = once(second.process, 'exit');
    second.process.kill('SIGTERM');
    await gone;
    expect([desk.tasks.get('one')!.taken.map((end) => end.kind), folders(), encoders()]).toEqual([
      ['returned'],
      [],
      [],
    ]);
  });

  it('has a cancelled encode and its scratch space gone when it says so', async () => {
    await aWorker();
    for (let i = 0; i < 3; i++) {
      const id = `task-${i}`;
      desk.add(aProbeTask(id));
      await soon(() => expect(desk.tasks.get(id)!.done).toBeGreaterThan(0));
      desk.cancel(id);
      await soon(() => expect(desk.tasks.get(id)!.state.kind).toBe('cancelled'));
      expect([encoders(), folders()]).toEqual([[], []]);
    }
  });
});

describe('what a killed worker left', () => {
  const open = () => {
    const left: unknown[] = [];
    const onLeftovers = (found: unknown) => void left.push(found);
    const opening = openScratchSpace({ folder: scratch(), clock, log: silentLogger, onLeftovers, onStuck: () => {} });
    return { left, opening };
  };
  const aProcess = (cwd: string, ...args: string[]) => {
    const child = spawn('tail', ['-f', '/dev/null', ...args], { cwd, detached: true, stdio: 'ignore' });
    started.push(child);
    return child;
  };

  it('is ended at the next start when it works in the scratch folder or on files of it, and nobody else is', async () => {
    const first = open();
    {
      using space = await first.opening;
      await space.open('task.1');
    }
    const inside = aProcess(join(scratch(), 'task.1'));
    const naming = aProcess(dir, join(scratch(), 'task.1', 'file'));
    const beside = aProcess(dir);
    await soon(() => expect([inside, naming, beside].every(({ pid }) => isAlive(pid ?? 0))).toBe(true));
    await soon(() => expect(readFileSync(`/proc/${naming.pid}/cmdline`, 'utf8')).toContain('task.1'));
    const second = open();
    using _space = await second.opening;
    expect(second.left).toEqual([{ processes: 2, folders: 1 }]);
    expect([inside, naming, beside].map(({ pid }) => isAlive(pid ?? 0))).toEqual([false, false, true]);
  });

  it('is left alone while the worker runs', async () => {
    using _space = await open().opening;
    await expect(open().opening).rejects.toThrow(`in use by process ${process.pid}`);
  });
});
