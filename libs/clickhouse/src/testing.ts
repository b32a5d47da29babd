import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { openClickHouse } from './client.ts';
import { type EmbeddedClickHouse, openEmbeddedClickHouse } from './embedded.ts';

export interface TestClickHouse extends AsyncDisposable {
  readonly url: string;
  readonly database: string;
  /** Its default database is `database`. */
  readonly client: ClickHouseClient;
  /** Of the embedded engine; undefined with CLICKHOUSE_TEST_URL. */
  readonly pid: number | undefined;
}

let engine: Promise<EmbeddedClickHouse> | undefined;
let users = 0;

/**
 * An empty database of its own in the test process's real engine (or the server of CLICKHOUSE_TEST_URL), dropped when disposed.
 * The engine starts with the first and stops with the last.
 */
export async function createTestClickHouse(): Promise<TestClickHouse> {
  const server = process.env['CLICKHOUSE_TEST_URL'];
  const held = server === undefined ? await holdEngine() : undefined;
  const url = server ?? held?.url ?? '';
  const database = `test_${randomBytes(6).toString('hex')}`;
  const admin = await openClickHouse({ url, database: 'default', log: silentLogger });
  await admin.command({ query: `CREATE DATABASE ${database}` });
  const client = await openClickHouse({ url, database, log: silentLogger });
  return {
    ...{ url, database, client, pid: held?.pid },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await admin.command({ query: `DROP DATABASE IF EXISTS ${database}` }).catch(() => {}); // a killed engine took it along
      await admin.close();
      await held?.release();
    },
  };
}

async function holdEngine(): Promise<{ url: string; pid: number; release: () => Promise<void> }> {
  users++;
  engine ??= startEngine();
  const opened = await engine;
  return {
    url: opened.url,
    pid: opened.pid,
    release: async () => {
      users--;
      if (users > 0) return;
      engine = undefined;
      await opened[Symbol.asyncDispose]();
    },
  };
}

async function startEngine(): Promise<EmbeddedClickHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-clickhouse-'));
  const opened = await openEmbeddedClickHouse({ dataDir, memoryMb: 1_000, log: silentLogger, clock: systemClock });
  return {
    url: opened.url,
    version: opened.version,
    get pid() {
      return opened.pid;
    },
    get restarts() {
      return opened.restarts;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
