import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProcessLog } from './process-log.ts';
import { SupervisedProcess } from './supervised-process.ts';

describe('a supervised process', () => {
  let dir: string;
  let log: ProcessLog;
  let running: SupervisedProcess | undefined;
  const told: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-supervised-'));
    log = new ProcessLog(join(dir, 'p.log'));
    told.length = 0;
  });
  afterEach(async () => {
    await running?.stop();
    log[Symbol.dispose]();
    rmSync(dir, { recursive: true, force: true });
  });
  const start = (script: string, stopWithinMs = 5_000): SupervisedProcess => {
    const env = { PATH: process.env['PATH'] ?? '' };
    const spec = {
      name: 'p',
      command: ['sh', '-c', script],
      env,
      cwd: dir,
      stopSignal: 'SIGTERM' as const,
      stopWithinMs,
    };
    running = new SupervisedProcess(spec, log, {
      ended: (_, how, againInMs) => told.push(`${how} ${againInMs === undefined ? 'for good' : 'again'}`),
      restarted: () => told.push('restarted'),
    });
    running.start();
    return running;
  };
  /** Who ended and was not yet collected (Z) is not alive. */
  const isAlive = (pid: number) => {
    try {
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };

  test('that is killed is started again, and what it left is killed', async () => {
    const supervised = start('sleep 1000 & echo child $!; wait');
    await expect.poll(() => supervised.tail()).toMatch(/child \d+/);
    const child = Number(/child (\d+)/.exec(supervised.tail())?.[1]);
    const { pid } = supervised;
    await supervised.kill('SIGKILL');
    expect(supervised.state).toBe('waiting');
    await expect.poll(() => isAlive(child)).toBe(false);
    await expect.poll(() => supervised.pid, { timeout: 3_000 }).toBeGreaterThan(0);
    expect(supervised.pid).not.toBe(pid);
    expect(supervised.restarts).toBe(1);
    expect(told).toEqual(['SIGKILL again', 'restarted']);
  });

  test('that refuses its settings is left alone', async () => {
    const supervised = start('exit 64');
    await expect.poll(() => supervised.state).toBe('failed');
    expect(told).toEqual(['exit code 64 for good']);
  });

  test('stops when asked, also while it stands still, and is killed when it does not listen', async () => {
    const polite = start('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done');
    await expect.poll(() => polite.tail()).toContain('up');
    await polite.kill('SIGSTOP');
    await polite.stop();
    expect(polite.tail()).toContain('bye');
    const deaf = start('trap "" TERM; echo deaf; while :; do sleep 0.05; done', 200);
    await expect.poll(() => deaf.tail()).toContain('deaf');
    const { pid } = deaf;
    await deaf.stop();
    expect(isAlive(pid)).toBe(false);
    expect(deaf.state).toBe('stopped');
    expect(told).toEqual([]);
  });
});
