import { defineTopic, hourMs, keepForever, type Topic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openSql } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { record } from '../new-record.ts';
import { testKafka } from '../testing.ts';
import { openKafkaOutboxLog } from './kafka-outbox-log.ts';

let db: TestDatabase;
let access: { brokers: readonly string[]; topicPrefix: string; replication: number };
const opened: AsyncDisposable[] = [];
beforeAll(async () => {
  db = await createTestDatabase();
  const { bootstrap, topicPrefix } = await testKafka();
  access = { brokers: bootstrap, topicPrefix, replication: 1 };
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
    ...{ name: `outbox.notes-${++topics}.v1`, kind, schema, key: (value) => value.key, partitions: 4, doc: 'test' },
    retentionMs: kind === 'state' ? keepForever : hourMs,
  });
const note = (topic: Topic<Note>, key: string, n: number, id?: string) => record(topic, { key, n }, id ? { id } : {});

async function open(sql = db.sql) {
  const timing = { pollMs: 100, takeOverMs: 50, sendDeadlineMs: 1_500 };
  const log = await openKafkaOutboxLog({ access, sql, source: 'test', log: silentLogger, ...timing });
  opened.push(log);
  return log;
}

it('what commits is relayed to Kafka in order of commit, also when the earlier outbox id commits last; what rolls back is never seen', async () => {
  const log = await open();
  const topic = noteTopic('facts');
  const seen: number[] = [];
  await log.publish([note(topic, 'a', 0)]);
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
  await vi.waitFor(() => expect(seen).toEqual([0, 2]), { timeout: 15_000 });
  const rolledBack = db.sql.begin(async (tx) => {
    await log.publishIn(tx, [note(topic, 'a', 99)]);
    throw new Error('changed my mind');
  });
  await expect(rolledBack).rejects.toThrow('changed my mind');
  commitEarlier();
  await slow;
  await vi.waitFor(() => expect(seen).toEqual([0, 2, 1]), { timeout: 10_000 });
  await vi.waitFor(async () => expect(await db.sql`SELECT 1 FROM eventlog.outbox`).toHaveLength(0));
}, 40_000);

it('with six writers nobody skips a record, each key is in order of commit, and duplicates bear the same id', async () => {
  const [log, other] = [await open(), await open()];
  const topic = noteTopic('facts');
  const seen = new Map<string, { key: string; n: number }>();
  await log.follow({
    topic,
    from: 'earliest',
    onRecord: (one) => one.value && !seen.has(one.id) && seen.set(one.id, one.value),
  });
  await db.sql`CREATE TABLE counters (key text PRIMARY KEY, n int NOT NULL)`;
  const keys = ['a', 'b', 'c'];
  for (const key of keys) await db.sql`INSERT INTO counters VALUES (${key}, 0)`;
  const pool = openSql(db.url, { applicationName: 'writers', maxConnections: 6 });
  const writer = async (index: number) => {
    for (let round = 0; round < 30; round++) {
      const key = keys[(index + round) % keys.length] ?? 'a';
      await pool.begin(async (tx) => {
        const [row] = await tx`UPDATE counters SET n = n + 1 WHERE key = ${key} RETURNING n`; // the entity's row lock
        await (round % 2 ? log : other).publishIn(tx, [note(topic, key, Number(row?.['n']))]);
        if (round % 3 === 0) await tx`SELECT pg_sleep(0.003)`;
      });
      // The relay's session is lost now and then; the other one, or the same anew, takes over.
      if (index === 0 && round % 12 === 5) {
        await db.sql`
          SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database())`;
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, index) => writer(index)));
  await vi.waitFor(() => expect(seen.size).toBe(180), { timeout: 25_000 });
  for (const key of keys) {
    const numbers = [...seen.values()].filter((one) => one.key === key).map((one) => one.n);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n + 1));
  }
  await pool.end();
}, 60_000);

it('a relay that said goodbye is followed at once, one that vanished only when nothing of it can be on its way', async () => {
  const topic = noteTopic('state');
  const first = await open();
  await first.publish([note(topic, 'a', 1)]);
  const table = first.table(topic);
  await table.ready;
  await vi.waitFor(() => expect(table.get('a')?.n).toBe(1), { timeout: 10_000 });
  await first[Symbol.asyncDispose]();
  const [left] = await db.sql`SELECT clean FROM eventlog.relay`;
  expect(left?.['clean']).toBe(true);
  await db.sql`UPDATE eventlog.relay SET clean = false`;
  const startedMs = performance.now();
  const second = await open();
  const again = second.table(topic);
  await second.publish([note(topic, 'a', 2)]);
  await vi.waitFor(() => expect(again.get('a')?.n).toBe(2), { timeout: 15_000 });
  expect(performance.now() - startedMs).toBeGreaterThan(1_500);
}, 40_000);
