import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadLetterTopicOf, defineTopic, hourMs, keepForever, liveStreamsTopic, type Topic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openEmbeddedPostgres, openSql } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { record } from '../new-record.ts';
import { openPostgresEventLog, type PostgresEventLog, type PostgresEventLogOptions } from './postgres-event-log.ts';

let db: TestDatabase;
const opened: AsyncDisposable[] = [];
beforeAll(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
afterAll(() => db[Symbol.asyncDispose]());

const schema = z.object({ key: z.string(), n: z.int() });
type Note = z.infer<typeof schema>;
let topics = 0;
const noteTopic = (kind: 'facts' | 'state'): Topic<Note> =>
  defineTopic<Note>({
    ...{ name: `faults.notes-${++topics}.v1`, kind, schema, key: (value) => value.key, partitions: 4, doc: 'test' },
    retentionMs: kind === 'state' ? keepForever : hourMs,
  });
const note = (topic: Topic<Note>, key: string, n: number) => record(topic, { key, n });

async function open(options: Partial<PostgresEventLogOptions> = {}): Promise<PostgresEventLog> {
  const where = options.sql ? {} : { url: db.url };
  const timing = { pollMs: 100, takeOverMs: 50, groupLeaseMs: 1_500 };
  const log = await openPostgresEventLog({ ...where, source: 'test', log: silentLogger, ...timing, ...options });
  opened.push(log);
  return log;
}

it('a record whose transaction drew the earlier id and commits last is skipped by nobody', async () => {
  const log = await open();
  const topic = noteTopic('facts');
  const seen: number[] = [];
  await log.follow({ topic, from: 'earliest', onRecord: (one) => seen.push(one.value?.n ?? -1) });
  let commitEarlier: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    commitEarlier = resolve;
  });
  let inserted: () => void = () => {};
  const earlier = new Promise<void>((resolve) => {
    inserted = resolve;
  });
  const slow = db.sql.begin(async (tx) => {
    await log.publishIn(tx, [note(topic, 'a', 1)]);
    inserted();
    await held;
  });
  await earlier;
  await log.publish([note(topic, 'a', 2)]);
  await vi.waitFor(() => expect(seen).toEqual([2]), { timeout: 10_000 });
  commitEarlier();
  await slow;
  await vi.waitFor(() => expect(seen).toEqual([2, 1]), { timeout: 10_000 });
});

it('with eight writers in transactions of their own nobody skips a record and each key is in order of commit', async () => {
  const log = await open();
  const topic = noteTopic('facts');
  const seen: { key: string; n: number }[] = [];
  await log.follow({ topic, from: 'earliest', onRecord: (one) => one.value && seen.push(one.value) });
  await db.sql`CREATE TABLE counters (key text PRIMARY KEY, n int NOT NULL)`;
  const keys = ['a', 'b', 'c'];
  for (const key of keys) await db.sql`INSERT INTO counters VALUES (${key}, 0)`;
  const pool = openSql(db.url, { applicationName: 'writers', maxConnections: 8 });
  const writer = async (index: number) => {
    for (let round = 0; round < 40; round++) {
      const key = keys[(index + round) % keys.length] ?? 'a';
      await pool.begin(async (tx) => {
        const [row] = await tx`UPDATE counters SET n = n + 1 WHERE key = ${key} RETURNING n`; // the entity's row lock
        await log.publishIn(tx, [note(topic, key, Number(row?.['n']))]);
        if (round % 3 === 0) await tx`SELECT pg_sleep(0.003)`;
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));
  await vi.waitFor(() => expect(seen).toHaveLength(320), { timeout: 15_000 });
  for (const key of keys) {
    const numbers = seen.filter((one) => one.key === key).map((one) => one.n);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n + 1));
  }
  await pool.end();
}, 40_000);

it('what is published in a transaction that rolls back is never seen', async () => {
  const log = await open();
  const topic = noteTopic('facts');
  const seen: (number | undefined)[] = [];
  await log.follow({ topic, from: 'earliest', onRecord: (one) => seen.push(one.value?.n) });
  const rolledBack = db.sql.begin(async (tx) => {
    await log.publishIn(tx, [note(topic, 'a', 1)]);
    throw new Error('changed my mind');
  });
  await expect(rolledBack).rejects.toThrow('changed my mind');
  await db.sql.begin((tx) => log.publishIn(tx, [note(topic, 'a', 2)]));
  await vi.waitFor(() => expect(seen).toEqual([2]), { timeout: 10_000 });
});

it('another process appends when the connection of the appender is killed, and the first does not write beside it', async () => {
  const [first, second] = [await open(), await open()];
  const topic = noteTopic('facts');
  const offsets: bigint[] = [];
  await second.follow({ topic, from: 'earliest', onRecord: (one) => offsets.push(one.offset) });
  for (let n = 0; n < 30; n++) {
    await (n % 2 === 0 ? first : second).publish([note(topic, 'a', n)]);
    if (n % 10 === 5) {
      await db.sql`
        SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (
          SELECT oid FROM pg_database WHERE datname = current_database())`;
    }
  }
  await vi.waitFor(() => expect(offsets).toHaveLength(30), { timeout: 15_000 });
  expect(offsets).toEqual(Array.from({ length: 30 }, (_, n) => BigInt(n)));
});

it('followers miss nothing while every connection of their small pool, LISTEN included, is killed again and again', async () => {
  const sql = openSql(db.url, { applicationName: 'followers', maxConnections: 2 });
  const [writer, reader] = [await open(), await open({ sql })];
  const topic = noteTopic('facts');
  const followed: number[][] = [];
  for (let i = 0; i < 6; i++) {
    const read: number[] = [];
    followed.push(read);
    await reader.follow({ topic, from: 'earliest', onRecord: ({ value }) => value && read.push(value.n) });
  }
  let killed = 0;
  let published = 0;
  // A busy machine takes longer to connect again than twenty appends last: killing goes on until enough were hit.
  while (published < 200 || (killed <= 10 && published < 4_000)) {
    await writer.publish([note(topic, 'a', published++)]);
    if (published % 20 !== 10) continue;
    const killing = db.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'followers' AND datname = current_database()`;
    killed += (await killing).length;
  }
  const all = Array.from({ length: published }, (_, n) => n);
  await vi.waitFor(() => expect(followed.every((read) => read.length >= all.length)).toBe(true), { timeout: 15_000 });
  expect(followed).toEqual(followed.map(() => all));
  expect(killed).toBeGreaterThan(10);
  await reader[Symbol.asyncDispose]();
  await sql.end({ timeout: 2 });
});

it('an appender that was overtaken notices before it writes, and goes on from the offsets of the other', async () => {
  const log = await open();
  const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
  const seen: [bigint, number | undefined][] = [];
  await log.follow({ topic, from: 'earliest', onRecord: (one) => seen.push([one.offset, one.value?.n]) });
  await log.publish([note(topic, 'a', 0)]);
  await vi.waitFor(() => expect(seen).toEqual([[0n, 0]]), { timeout: 10_000 });
  // What another process does that took over while this one was stopped.
  const theirs = [1, 2]
    .map((n) => JSON.stringify(['a', `evt_${n}`, 1, 'other', topic.name, { key: 'a', n }]))
    .join(',');
  await db.sql.begin((tx) => [
    tx`UPDATE eventlog.appender SET epoch = epoch + 1`,
    tx`INSERT INTO eventlog.log (topic, partition, base_offset, last_offset, newest_ms, records)
       VALUES (${topic.name}, 0, 1, 2, ${String(Date.now())}::int8, ${theirs})`,
    tx`UPDATE eventlog.partitions SET next_offset = 3 WHERE topic = ${topic.name}`,
  ]);
  await log.publish([note(topic, 'a', 3)]);
  await vi.waitFor(() => expect(seen.map(([offset]) => offset)).toEqual([0n, 1n, 2n, 3n]), { timeout: 10_000 });
  expect(seen.map(([, n]) => n)).toEqual([0, 1, 2, 3]);
});

it('a member killed with -9 between handling and commit loses nothing: the next one gets those records again', async () => {
  const log = await open();
  const fact = (epoch: number) => ({
    ...{ type: 'StreamInterrupted' as const, stream_id: 'str_1', owner_id: 'own_1', publish_id: 'pub_1' },
    ...{ instance_id: 'i', epoch, at_ms: 1, reason: 'test', window_ms: 1 },
  });
  await log.publish(Array.from({ length: 30 }, (_, n) => record(liveStreamsTopic, fact(n + 1))));
  const script = new URL('./crashing-consumer.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, db.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await vi.waitFor(() => expect(text.split('\n').length).toBeGreaterThan(15), { timeout: 30_000 });
  child.kill('SIGKILL');
  const before = text.split('\n').slice(0, -1).map(Number);
  const after: number[] = [];
  await log.consume({
    group: 'crash',
    topics: [liveStreamsTopic],
    handler: async (batch) => void after.push(...batch.records.map((one) => one.value?.epoch ?? -1)),
  });
  await vi.waitFor(() => expect(after).toContain(30), { timeout: 15_000 });
  const all = new Set([...before, ...after]);
  expect(all.size).toBe(30);
  expect(after).toEqual([...after].sort((a, b) => a - b));
  expect(after).toContain(11); // in the batch that was handled and never committed
}, 60_000);

it('a topic that changed its number of partitions is refused by name', async () => {
  const log = await open();
  const topic = noteTopic('facts');
  await log.publish([note(topic, 'a', 1)]);
  const other = await open();
  await expect(other.publish([note({ ...topic, partitions: 5 }, 'a', 2)])).rejects.toThrow(
    /with 4 partitions, expected facts with 5/,
  );
});

it('tables serve their copy while PostgreSQL is down, and everything goes on when it is back, in order', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  try {
    await using postgres = await openEmbeddedPostgres({ dataDir: join(dir, 'pg'), log: silentLogger });
    const log = await openPostgresEventLog({
      ...{ url: postgres.connectionUrl, source: 'test', log: silentLogger, wake: 'memory' },
      ...{ pollMs: 100, groupLeaseMs: 3_000 },
    });
    await using _log = log;
    const [state, facts] = [noteTopic('state'), noteTopic('facts')];
    const table = log.table(state);
    await log.publish([note(state, 'a', 1)]);
    await vi.waitFor(() => expect(table.get('a')?.n).toBe(1), { timeout: 10_000 });
    const handled: number[] = [];
    await log.consume({
      group: 'g',
      topics: [facts],
      handler: async (batch) => void handled.push(...batch.records.map((one) => one.value?.n ?? -1)),
    });
    const acknowledged: number[] = [];
    const publishAll = async () => {
      for (let n = 0; n < 150; n++) {
        // At least once: a refused publish is tried again, and may have been taken already.
        for (;;) {
          try {
            await log.publish([{ ...note(facts, 'a', n), id: `evt_${n}` }]);
            break;
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
        acknowledged.push(n);
      }
    };
    const publishing = publishAll();
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(20), { timeout: 10_000 });
    for (let kill = 1; kill <= 2; kill++) {
      process.kill(postgres.pid, 'SIGKILL');
      expect(table.get('a')?.n).toBe(1);
      await vi.waitFor(() => expect(postgres.restarts).toBe(kill), { timeout: 20_000 });
      const reached = acknowledged.length;
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(Math.min(reached + 10, 149)), {
        timeout: 20_000,
      });
    }
    await publishing;
    await vi.waitFor(() => expect(handled).toContain(149), { timeout: 20_000 });
    const firstSeen = [...new Set(handled)];
    expect(firstSeen).toEqual(Array.from({ length: 150 }, (_, n) => n));
    await log.publish([note(state, 'a', 2)]);
    await vi.waitFor(() => expect(table.get('a')?.n).toBe(2), { timeout: 10_000 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 90_000);

it('a table that is opened while the log is away is not ready, and is when the log comes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  try {
    const topic = noteTopic('state');
    const first = await openEmbeddedPostgres({ dataDir: join(dir, 'pg'), log: silentLogger });
    const writer = await openPostgresEventLog({
      url: first.connectionUrl,
      source: 'test',
      log: silentLogger,
      pollMs: 100,
    });
    await writer.publish([note(topic, 'a', 7)]);
    await writer[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await using log = await openPostgresEventLog({
      url: first.connectionUrl,
      source: 'test',
      log: silentLogger,
      pollMs: 100,
    });
    const table = log.table(topic);
    await expect(log.publish([note(topic, 'a', 8)])).rejects.toThrow();
    expect(table.isReady).toBe(false);
    await using _again = await openEmbeddedPostgres({ dataDir: join(dir, 'pg'), log: silentLogger });
    await vi.waitFor(() => expect(table.isReady).toBe(true), { timeout: 20_000 });
    // it may have been in the outbox only when its log was closed
    await vi.waitFor(() => expect(table.get('a')?.n).toBe(7), { timeout: 20_000 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 60_000);

it('a stored value that no longer fits its topic is parked, not handed over, and the next one is handled', async () => {
  const log = await open();
  const loose = defineTopic<{ key: string; n: unknown }>({
    ...{ ...noteTopic('facts'), schema: z.object({ key: z.string(), n: z.unknown() }) },
    key: (value) => value.key,
  });
  const strict: Topic<Note> = { ...loose, schema, key: (value) => value.key };
  await log.publish([record(loose, { key: 'a', n: 'not a number' }), record(loose, { key: 'a', n: 2 })]);
  const handled: (number | undefined)[] = [];
  await log.consume({
    group: 'strict',
    topics: [strict],
    handler: async (batch) => void handled.push(...batch.records.map((one) => one.value?.n)),
  });
  const letters: unknown[] = [];
  await log.follow({ topic: deadLetterTopicOf(strict), from: 'earliest', onRecord: (one) => letters.push(one.value) });
  await vi.waitFor(() => expect(handled).toEqual([2]), { timeout: 10_000 });
  await vi.waitFor(() => expect(letters).toHaveLength(1), { timeout: 10_000 });
  expect(letters[0]).toMatchObject({ offset: '0', value: { key: 'a', n: 'not a number' } });
});
