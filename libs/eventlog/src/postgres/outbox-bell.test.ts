import { dayMs, defineTopic, type Topic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { record } from '../new-record.ts';
import { outboxChannel } from './outbox-writer.ts';
import { openPostgresEventLog } from './postgres-event-log.ts';

type Note = { key: string; n: number };
let topics = 0;
/** Which nobody has used. */
const freshTopic = () =>
  defineTopic<Note>({
    name: `bell.notes-${++topics}.v1`,
    kind: 'facts',
    schema: z.object({ key: z.string(), n: z.number() }),
    key: (value) => value.key,
    retentionMs: dayMs,
    partitions: 2,
    doc: 'notes',
  });
const note = (topic: Topic<Note>, n: number) => record(topic, { key: 'a', n });

it('who publishes in a transaction waits for nobody who does the same, from the second publish of a topic on', async () => {
  await using db = await createTestDatabase();
  await using log = await openPostgresEventLog({ sql: db.sql, source: 'test', log: silentLogger, wake: 'memory' });
  const topic = freshTopic(); // nobody reads it: only publishing makes it known
  await db.sql.begin((tx) => log.publishIn(tx, [note(topic, 1)]));
  await vi.waitFor(async () => {
    await db.sql.begin(async (open) => {
      await log.publishIn(open, [note(topic, 2)]);
      await db.sql.begin(async (tx) => {
        await tx`SET LOCAL lock_timeout = 100`;
        await log.publishIn(tx, [note(topic, 3)]);
      });
    });
  }, 10_000);
});

it('a commit notifies nobody; who empties the outbox hears of it after the commit', async () => {
  await using db = await createTestDatabase();
  const options = { url: db.url, source: 'test', log: silentLogger, wake: 'notify', pollMs: 60_000 } as const;
  await using reader = await openPostgresEventLog(options);
  const topic = freshTopic();
  const seen: number[] = [];
  await reader.follow({ topic, from: 'earliest', onRecord: ({ value }) => value && seen.push(value.n) });
  await reader.publish([note(topic, 1)]);
  await vi.waitFor(() => expect(seen).toEqual([1]), { timeout: 10_000 }); // it is the one that appends
  const heard: string[] = [];
  const { unlisten } = await db.sql.listen(outboxChannel, (payload) => heard.push(payload));
  await using writer = await openPostgresEventLog(options);
  await db.sql.begin((tx) => writer.publishIn(tx, [note(topic, 2)]));
  await db.sql`SELECT pg_notify(${outboxChannel}, 'mark')`; // comes after whatever the commit would have sent
  await vi.waitFor(() => expect(heard).toContain('mark'), { timeout: 10_000 });
  expect(heard).toEqual(['mark']);
  await vi.waitFor(() => expect(seen).toEqual([1, 2]), { timeout: 10_000 });
  await db.sql.begin((tx) => writer.publishIn(tx, [note(topic, 3)]));
  writer.committed();
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]), { timeout: 10_000 });
  await unlisten();
});
