import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { isAlive } from '@millrace/lifecycle';
import { silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openClickHouse } from './client.ts';
import { openEmbeddedClickHouse } from './embedded.ts';
import { runClickHouseMigrations } from './migrations.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-engine-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (dataDir = join(dir, 'ch')) =>
  openEmbeddedClickHouse({ dataDir, memoryMb: 500, log: silentLogger, clock: systemClock });
async function ask(url: string, query: string): Promise<unknown[]> {
  const client = await openClickHouse({ url, database: 'default', log: silentLogger });
  try {
    return await (await client.query({ query, format: 'JSONEachRow' })).json();
  } finally {
    await client.close();
  }
}
async function run(url: string, query: string): Promise<void> {
  const client = await openClickHouse({ url, database: 'default', log: silentLogger });
  await client.command({ query });
  await client.close();
}

describe('the embedded ClickHouse', { timeout: 60_000 }, () => {
  it('listens on loopback with a password, in a closed folder, within its memory, and leaves no process', async () => {
    const engine = await open();
    const { pid } = engine;
    expect(new URL(engine.url).hostname).toBe('127.0.0.1');
    expect(new URL(engine.url).password.length).toBeGreaterThanOrEqual(32);
    expect(statSync(join(dir, 'ch')).mode & 0o777).toBe(0o700);
    const query = "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'";
    expect(await ask(engine.url, query)).toEqual([{ value: '500000000' }]);
    await engine[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
  });

  it('starts again at the same URL when it is killed, and has what was inserted', async () => {
    await using engine = await open();
    await run(engine.url, 'CREATE TABLE notes (n Int32) ENGINE = MergeTree ORDER BY n');
    await run(engine.url, 'INSERT INTO notes VALUES (42)');
    const { pid } = engine;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(engine.restarts).toBe(1), { timeout: 20_000 });
    expect(engine.pid).not.toBe(pid);
    expect(await ask(engine.url, 'SELECT n FROM notes')).toEqual([{ n: 42 }]);
  });

  it('applies migrations once, in order, and says which statement of which file failed', async () => {
    await using engine = await open();
    const client = await openClickHouse({ url: engine.url, database: 'facts', log: silentLogger });
    const migrations = { client, database: 'facts', dir };
    const file = (name: string, text: string) => writeFileSync(join(dir, name), text);
    file('0001-first.sql', 'CREATE TABLE IF NOT EXISTS a (n Int8) ENGINE = Memory; -- one;\nINSERT INTO a VALUES (1);');
    expect(await runClickHouseMigrations(migrations)).toEqual(['0001-first.sql']);
    expect(await runClickHouseMigrations(migrations)).toEqual([]);
    expect(await ask(engine.url, 'SELECT count() AS c FROM facts.a')).toEqual([{ c: 1 }]);
    file('0002-second.sql', 'SELECT 1; CREATE TABLE b (n Nonsense) ENGINE = Memory');
    await expect(runClickHouseMigrations(migrations)).rejects.toThrow(/0002-second\.sql, statement 2: .*Nonsense/);
    file('0001-first.sql', 'SELECT 2');
    await expect(runClickHouseMigrations(migrations)).rejects.toThrow(
      /0001-first\.sql was changed after it was applied/,
    );
    file('0004-gap.sql', 'SELECT 1');
    await expect(runClickHouseMigrations(migrations)).rejects.toThrow(/expected 0003-<name>\.sql at place 3/);
    await client.close();
  });
});
