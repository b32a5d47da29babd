/** The sink on the real engine: what is in the log is in ClickHouse once, whatever dies meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClickHouseClient,
  type EmbeddedClickHouse,
  openClickHouse,
  openEmbeddedClickHouse,
  runClickHouseMigrations,
} from '@millrace/clickhouse';
import { systemClock } from '@millrace/clock';
import { type EventLog, openPostgresEventLog, record } from '@millrace/eventlog';
import { openMemoryEventLog } from '@millrace/eventlog/testing';
import { type Beacon, beaconsTopic, deadLetterTopicOf } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFactInsert } from '../outbound/fact-insert.ts';
import { type FactSinkOptions, openFactSink } from './fact-sink.ts';

const deps = { log: silentLogger, clock: systemClock };
const migrations = new URL('../../migrations', import.meta.url).pathname;
let folder: string;
let engine: EmbeddedClickHouse;
let database: string;
let client: ClickHouseClient;
let made = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-sink-'));
  engine = await openEmbeddedClickHouse({ ...deps, dataDir: folder, memoryMb: 800 });
});
afterAll(async () => {
  await client.close();
  await engine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await client?.close();
  database = `facts_${++made}`;
  client = await openClickHouse({ url: engine.url, database, log: silentLogger });
  await runClickHouseMigrations({ client, database, dir: migrations });
});

const beacon = (n: number, more: Partial<Beacon> = {}): Beacon => ({
  ...{ type: 'BeaconReceived', session_id: `ses_${n % 500}`, stream_id: `str_${n % 7}`, owner_id: 'usr_1' },
  ...{ instance_id: 'i1', at_ms: Date.now(), version: 2, mode: 'event', event: 't', state: 'p', sequence: n },
  ...more,
});
async function publish(log: EventLog, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 400) {
    const numbers = Array.from({ length: Math.min(400, to - at) }, (_, index) => at + index);
    await log.publish(numbers.map((n) => record(beaconsTopic, beacon(n))));
  }
}
const metrics = () => ({ inserted: vi.fn(), insertFailed: vi.fn(), parked: vi.fn(), queryable: vi.fn() });
const sink = (eventLog: EventLog, more: Partial<FactSinkOptions> = {}) =>
  openFactSink({
    ...deps,
    eventLog,
    insert: createFactInsert(client),
    metrics: metrics(),
    lingerMs: 30,
    maxRecords: 500,
    ...more,
  });

/** Rows, different rows, and what the view of minutes counted; all equal when each fact is in once. */
async function counts(): Promise<{ rows: number; different: number; counted: number }> {
  const query = `SELECT (SELECT count() FROM beacons) AS rows, (SELECT uniqExact(sequence) FROM beacons) AS different,
    (SELECT sum(reports) FROM minutes) AS counted`;
  const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, string>>();
  return { rows: Number(row?.['rows']), different: Number(row?.['different']), counted: Number(row?.['counted']) };
}
const arrived = async (facts: number) => {
  // A row is there a moment before its views have counted it.
  const all = async () => {
    const { different, counted } = await counts();
    expect(different).toBe(facts);
    expect(counted).toBeGreaterThanOrEqual(facts);
  };
  await vi.waitFor(all, { timeout: 30_000, interval: 50 });
  expect(await counts()).toEqual({ rows: facts, different: facts, counted: facts });
};

describe('the sink', () => {
  it('brings facts within the linger, in rows of their tables', async () => {
    await using log = openMemoryEventLog();
    const seen = metrics();
    await using _sink = await sink(log, { metrics: seen });
    await publish(log, 0, 900);
    await arrived(900);
    const inserted = seen.inserted.mock.calls.reduce((sum, [, rows]) => sum + Number(rows), 0);
    expect(inserted).toBe(900);
  });

  it('makes larger inserts of a backlog, bounded in each and in memory', async () => {
    await using log = openMemoryEventLog();
    await publish(log, 0, 12_000);
    const seen = metrics();
    await using one = await sink(log, { metrics: seen, maxBufferedRecords: 3_000 });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, one.buffered);
    }, 1);
    await arrived(12_000);
    clearInterval(watch);
    const sizes = seen.inserted.mock.calls.map(([, rows]) => Number(rows));
    expect(Math.max(...sizes)).toBe(500);
    expect(sizes.length).toBeLessThan(60);
    // Each partition may be in the middle of taking one batch over.
    expect(most).toBeLessThanOrEqual(3_000 + 12 * 2_000);
  });

  it('counts each fact once when its process is killed at random moments', { timeout: 60_000 }, async () => {
    await using testDatabase = await createTestDatabase();
    await using log = await openPostgresEventLog({ ...deps, sql: testDatabase.sql, source: 'test' });
    const facts = 5_000;
    const publishing = publish(log, 0, facts);
    for (let life = 0; life < 2; life++) {
      const child = crasher(testDatabase.url);
      await once(child.stdout ?? child, 'data'); // it has inserted something
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    await publishing;
    await using _last = await sink(log);
    await arrived(facts);
  });

  it('counts each fact once when the engine is killed in the middle of inserts', { timeout: 60_000 }, async () => {
    await using log = openMemoryEventLog();
    await using one = await sink(log, { maxRecords: 200 });
    const facts = 5_000;
    const publishing = publish(log, 0, facts);
    for (let round = 1; round <= 2; round++) {
      const restarts = engine.restarts;
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
      process.kill(engine.pid, 'SIGKILL');
      await vi.waitFor(() => expect(engine.restarts).toBe(restarts + 1), { timeout: 15_000 });
    }
    await publishing;
    await arrived(facts);
    expect(one.trouble).toBeUndefined();
  });

  it('waits while ClickHouse is away, says so, parks nothing, and catches up', { timeout: 40_000 }, async () => {
    await using gate = await openGate(engine.url);
    await using log = openMemoryEventLog();
    const away = await openClickHouse({ url: gate.url, database, log: silentLogger });
    const seen = metrics();
    await using one = await sink(log, { insert: createFactInsert(away), metrics: seen, maxBufferedRecords: 2_000 });
    await publish(log, 0, 12_000);
    await vi.waitFor(() => expect(one.trouble).toMatch(/beacons: unreachable/), { timeout: 5_000 });
    expect(one.buffered).toBeLessThanOrEqual(2_000 + 12 * 2_000);
    gate.open();
    await arrived(12_000);
    await vi.waitFor(() => expect(one.trouble).toBeUndefined());
    expect(seen.parked).not.toHaveBeenCalled();
    await away.close();
  });

  it('parks a fact that ClickHouse cannot take, and brings those around it', async () => {
    await using log = openMemoryEventLog();
    const parked: unknown[] = [];
    await using _follower = await log.follow({
      topic: deadLetterTopicOf(beaconsTopic),
      from: 'earliest',
      onRecord: ({ value }) => parked.push(value),
    });
    await client.command({ query: 'ALTER TABLE beacons ADD CONSTRAINT not_two CHECK sequence != 2' });
    await publish(log, 0, 40);
    await using _sink = await sink(log);
    await vi.waitFor(() => expect(parked).toHaveLength(1), { timeout: 10_000 });
    expect(parked[0]).toMatchObject({
      type: 'RecordParked',
      topic: beaconsTopic.name,
      group: 'analytics',
      attempts: 1,
    });
    await arrived(39);
  });
});

function crasher(logUrl: string): ChildProcess {
  const script = new URL('../../test/fact-sink-crasher.ts', import.meta.url).pathname;
  const args = ['--import', 'tsx', script, logUrl, engine.url, database];
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** A port in front of the engine that refuses until it is opened. */
async function openGate(target: string): Promise<{ url: string; open: () => void } & AsyncDisposable> {
  const to = new URL(target);
  const sockets = new Set<Socket>();
  let isOpen = false;
  const server: Server = createServer((socket) => {
    if (!isOpen) return socket.destroy();
    const upstream = connect(Number(to.port), to.hostname);
    for (const one of [socket, upstream]) sockets.add(one.on('error', () => {}));
    socket.pipe(upstream).pipe(socket);
    return socket;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.toString(),
    open: () => {
      isOpen = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
