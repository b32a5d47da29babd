import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { isAlive, startMark } from '@millrace/lifecycle';
import { type Logger, openLogger, silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openClickHouse } from './client.ts';
import { openEmbeddedClickHouse } from './embedded.ts';
import { engineLockFile, stopStaleEngine } from './stale-engine.ts';

let dir: string;
let started: number[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
  started = [];
});
afterEach(() => {
  for (const pid of started.filter(isAlive)) process.kill(pid, 'SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

/** A node process that says its engine's (or child's) id on standard output. */
async function owner(...args: string[]): Promise<{ process: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(child.pid ?? 0);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const { pid } = JSON.parse(said.toString()) as { pid: number };
  started.push(pid);
  return { process: child, pid };
}
const engineOwner = (...args: string[]) =>
  owner('--import', 'tsx', new URL('./crashing-owner.ts', import.meta.url).pathname, join(dir, 'ch'), ...args);

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function notesAfterRestart(log: Logger = silentLogger): Promise<unknown[]> {
  const options = { dataDir: join(dir, 'ch'), memoryMb: 500, log, clock: systemClock };
  await using engine = await openEmbeddedClickHouse(options);
  const client = await openClickHouse({ url: engine.url, database: 'default', log: silentLogger });
  try {
    return await (await client.query({ query: 'SELECT n FROM notes', format: 'JSONEachRow' })).json();
  } finally {
    await client.close();
  }
}

describe('the engine of an owner that is killed', { timeout: 60_000 }, () => {
  it('ends at once, although its queries would never end', async () => {
    const { process: parent, pid } = await engineOwner('busy');
    await kill(parent);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 2_000, interval: 10 });
    expect(await notesAfterRestart()).toEqual([{ n: 1 }]);
  });

  it('is stopped by the next owner when it cannot end by itself, which is logged', async () => {
    const { process: parent, pid } = await engineOwner();
    process.kill(pid, 'SIGSTOP');
    await kill(parent);
    const lines: string[] = [];
    const log = openLogger({ service: 'test', level: 'info', write: (line) => void lines.push(line) });
    expect(await notesAfterRestart(log)).toEqual([{ n: 1 }]);
    expect(isAlive(pid)).toBe(false);
    expect(lines.filter((line) => line.includes('clickhouse-stale-stopping'))).toEqual([
      expect.stringContaining(String(pid)),
    ]);
  });

  it('ends while its event loop is blocked, as when it opens large files', async () => {
    const watch = JSON.stringify(new URL('./engine/parent-watch.ts', import.meta.url).href);
    const engine = `import { endWithParent } from ${watch}; endWithParent(process.ppid);
      process.send({}); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    const parent = `const { spawn } = require('node:child_process');
      const args = ['--input-type=module', '--import', 'tsx', '-e', ${JSON.stringify(engine)}];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      child.once('message', () => console.log(JSON.stringify({ pid: child.pid })));`;
    const blocked = await owner('-e', parent);
    await kill(blocked.process);
    await vi.waitFor(() => expect(isAlive(blocked.pid)).toBe(false), { timeout: 3_000, interval: 10 });
  });
});

describe('a folder that names an engine', () => {
  it('has nobody stopped whose process id is the same but who started at another time', async () => {
    const { pid } = await owner('-e', 'console.log(JSON.stringify({ pid: process.pid })); setInterval(() => {}, 1e6)');
    for (const text of [JSON.stringify({ pid, started: 'another' }), JSON.stringify({ pid }), '{"pid":']) {
      writeFileSync(engineLockFile(dir), text);
      expect(await stopStaleEngine(dir, systemClock, silentLogger)).toBe('none');
    }
    expect(isAlive(pid)).toBe(true);
    writeFileSync(engineLockFile(dir), JSON.stringify({ pid, started: startMark(pid) }));
    expect(await stopStaleEngine(dir, systemClock, silentLogger)).toBe('stopped');
    expect(isAlive(pid)).toBe(false);
  });

  it('is left alone while another Millrace runs', { timeout: 30_000 }, async () => {
    const { process: parent, pid } = await engineOwner();
    const before = readFileSync(engineLockFile(join(dir, 'ch')), 'utf8');
    await expect(notesAfterRestart()).rejects.toThrow(`in use by process ${parent.pid}: stop that one first`);
    expect(isAlive(pid)).toBe(true);
    expect(readFileSync(engineLockFile(join(dir, 'ch')), 'utf8')).toBe(before);
  });
});
