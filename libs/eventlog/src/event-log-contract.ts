/** What every adapter of the EventLog port must keep. Each adapter's test hands in a harness and runs all of it. */
import { dayMs, defineTopic, hourMs, keepForever, type Topic } from '@millrace/events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Batch, ConsumeOptions, EventLog, LogRecord, NewRecord } from './event-log.ts';
import { record, tombstone } from './new-record.ts';

export interface EventLogHarness extends AsyncDisposable {
  /**
   * When compaction has removed the values that newer ones of the same key replaced: with `retain`, or at some later time (Kafka
   * leaves the segment it writes to alone), so that a group may be given them, in order, until then. Tables are the same either way.
   */
  readonly compaction?: 'at-once' | 'eventual';
  /** Another instance on the same log. Disposing the harness disposes it. */
  openLog(): Promise<EventLog>;
  /** The instance stops at once, without committing or leaving its groups, as after kill -9; others take over. */
  kill(log: EventLog): Promise<void>;
  /** Sees to it that what the topics no longer keep at `nowMs` is gone. */
  retain(topics: readonly Topic[], nowMs: number): Promise<void>;
}

const noteSchema = z.object({ key: z.string(), n: z.int(), text: z.string().optional() });
type Note = z.infer<typeof noteSchema>;
let topicNumber = 0;

function noteTopic(kind: 'facts' | 'state', retentionMs = kind === 'state' ? keepForever : dayMs): Topic<Note> {
  const name = `contract.notes-${process.pid}-${++topicNumber}.v1`;
  return defineTopic<Note>({
    name,
    kind,
    schema: noteSchema,
    key: (v) => v.key,
    retentionMs,
    partitions: 4,
    doc: name,
  });
}

const note = (topic: Topic<Note>, key: string, n: number) => record(topic, { key, n });
const until = (claim: () => void) => vi.waitFor(claim, { timeout: 15_000, interval: 10 });

/** Publishes and waits until readers can see it: `publish` resolves as soon as it is durable. */
async function publishVisibly(log: EventLog, records: readonly NewRecord<Note>[]): Promise<void> {
  const seen = new Set<string>();
  const given = records.map((one) => ({ ...one, id: one.id ?? `evt_${Math.random()}` }));
  const topics = [...new Set(records.map((one) => one.topic))];
  const followers = await Promise.all(
    topics.map((topic) => log.follow({ topic, from: 'earliest', onRecord: (one) => seen.add(one.id) })),
  );
  await log.publish(given);
  await until(() => expect(given.every(({ id }) => seen.has(id))).toBe(true));
  for (const follower of followers) await follower[Symbol.asyncDispose]();
}

/** Collects what a group or follower is given. */
class Inbox {
  readonly records: LogRecord<Note>[] = [];
  readonly take = async (batch: { records: readonly LogRecord<Note>[] }) => void this.records.push(...batch.records);
  get numbers(): (number | undefined)[] {
    return this.records.map((one) => one.value?.n);
  }
  of(key: string): (number | undefined)[] {
    return this.records.filter((one) => one.key === key).map((one) => one.value?.n);
  }
}

/** Declares the contract suite for the adapter `name`. */
export function defineEventLogContract(name: string, openHarness: () => Promise<EventLogHarness>): void {
  describe(`${name} keeps the contract of the event log:`, () => {
    let harness: EventLogHarness | undefined;
    afterEach(async () => {
      await harness?.[Symbol.asyncDispose]();
      harness = undefined;
    });
    const open = async () => {
      harness ??= await openHarness();
      return harness.openLog();
    };
    const consume = (
      log: EventLog,
      options: Partial<ConsumeOptions<Note>> & Pick<ConsumeOptions<Note>, 'topics' | 'handler'>,
    ) => log.consume<Note>({ group: `readers-${topicNumber}`, retryBaseMs: 5, ...options });

    it('a group gets the records of each key in the order they were published', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const inbox = new Inbox();
      await consume(log, { topics: [topic], handler: inbox.take });
      const keys = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(Array.from({ length: 100 }, (_, n) => log.publish(keys.map((key) => note(topic, key, n)))));
      await until(() => expect(inbox.records).toHaveLength(500));
      for (const key of keys) expect(inbox.of(key)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    });

    it('all who read one log know its history by the same name', async () => {
      const [one, other] = [await open(), await open()];
      expect(await one.identity()).toBe(await other.identity());
      expect(await one.identity()).not.toBe('');
    });

    it('a record carries its CloudEvents attributes and offsets rise by one within a partition', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const inbox = new Inbox();
      await consume(log, { topics: [topic], handler: inbox.take });
      await log.publish([{ ...note(topic, 'a', 1), id: 'evt_1', timeMs: 123, source: 'here' }, note(topic, 'a', 2)]);
      await until(() => expect(inbox.records).toHaveLength(2));
      const [first, second] = inbox.records;
      expect(first).toMatchObject({
        topic: topic.name,
        key: 'a',
        id: 'evt_1',
        timeMs: 123,
        source: 'here',
        type: topic.name,
      });
      expect(first?.offset).toBe(0n);
      expect(second?.offset).toBe(1n);
      expect(second?.id).toMatch(/^evt_/);
    });

    it('publishing a value that its topic refuses throws and appends nothing', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const inbox = new Inbox();
      await consume(log, { topics: [topic], handler: inbox.take });
      const wrong = { topic, key: 'a', value: { key: 'a', n: 1.5 } };
      await expect(log.publish([note(topic, 'a', 1), wrong])).rejects.toThrow(/does not fit its schema: n/);
      await log.publish([note(topic, 'a', 2)]);
      await until(() => expect(inbox.numbers).toEqual([2]));
    });

    it('groups are independent: each gets everything, one that fails does not hold up the other', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const inbox = new Inbox();
      await consume(log, { group: 'failing', topics: [topic], handler: () => Promise.reject(new Error('no')) });
      await consume(log, { group: 'working', topics: [topic], handler: inbox.take });
      await log.publish([1, 2, 3].map((n) => note(topic, 'a', n)));
      await until(() => expect(inbox.numbers).toEqual([1, 2, 3]));
    });

    it('a new group starts at the earliest record, or with `latest` at what comes from now on', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      await log.publish([note(topic, 'a', 1)]);
      const [all, fresh] = [new Inbox(), new Inbox()];
      await consume(log, { group: 'all', topics: [topic], handler: all.take });
      // a record comes to the log a moment after it was published, and what comes is what `latest` begins with
      await until(() => expect(all.numbers).toEqual([1]));
      const latest = await consume(log, { group: 'fresh', topics: [topic], from: 'latest', handler: fresh.take });
      await vi.waitFor(async () => expect((await latest.lag()).size).toBe(4), { timeout: 15_000 });
      await vi.waitFor(async () => {
        await log.publish([note(topic, 'a', 2)]);
        expect(fresh.numbers).toContain(2);
      });
      expect(fresh.numbers).not.toContain(1);
    });

    it('a consumer that is closed and opened again goes on after what it handled', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const [first, second] = [new Inbox(), new Inbox()];
      const consumer = await consume(log, { topics: [topic], handler: first.take });
      await log.publish([note(topic, 'a', 1), note(topic, 'b', 1)]);
      await until(() => expect(first.records).toHaveLength(2));
      await consumer[Symbol.asyncDispose]();
      await log.publish([note(topic, 'a', 2)]);
      await consume(log, { topics: [topic], handler: second.take });
      await until(() => expect(second.numbers).toEqual([2]));
    });

    it('records that an instance was handling when it was killed are delivered to the next one', async () => {
      const [doomed, heir] = [await open(), await open()];
      const topic = noteTopic('facts');
      const handling: (number | undefined)[] = [];
      await consume(doomed, {
        topics: [topic],
        handler: async (batch) => {
          handling.push(...batch.records.map((one) => one.value?.n));
          await new Promise<void>((resolve) => batch.signal.addEventListener('abort', () => resolve()));
          throw new Error('killed in the middle');
        },
      });
      await heir.publish([note(topic, 'a', 1), note(topic, 'a', 2)]);
      await until(() => expect(handling).toContain(1));
      const inbox = new Inbox();
      await consume(heir, { topics: [topic], handler: inbox.take });
      await harness?.kill(doomed);
      await until(() => expect(inbox.numbers).toEqual([1, 2]));
    });

    it('a failing record is retried, then parked with its error, and other keys go on meanwhile', async () => {
      const log = await open();
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const inbox = new Inbox();
      let attempts = 0;
      await consume(log, {
        topics: [topic],
        maxRetries: 3,
        handler: async (batch) => {
          if (batch.records.some((one) => one.key === 'bad' && one.value?.n === 1)) {
            if (batch.records.length === 1) attempts++;
            throw new Error('cannot read this one');
          }
          await inbox.take(batch);
        },
      });
      await log.publish([note(topic, 'bad', 1), note(topic, 'good', 1), note(topic, 'bad', 2), note(topic, 'good', 2)]);
      await until(() => expect(inbox.of('good')).toEqual([1, 2]));
      await until(() => expect(inbox.of('bad')).toEqual([2]));
      expect(attempts).toBe(4);
      const letters: unknown[] = [];
      const { deadLetterTopicOf } = await import('@millrace/events');
      await log.follow({
        topic: deadLetterTopicOf(topic),
        from: 'earliest',
        onRecord: (one) => letters.push(one.value),
      });
      await until(() => expect(letters).toHaveLength(1));
      expect(letters[0]).toMatchObject({
        ...{ topic: topic.name, partition: 0, offset: '0', key: 'bad', group: `readers-${topicNumber}`, attempts: 4 },
        ...{ error: 'Error: cannot read this one', value: { key: 'bad', n: 1 } },
      });
    });

    it('a record that fails once and then succeeds keeps its place before the next of its key', async () => {
      const log = await open();
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const inbox = new Inbox();
      let failures = 2;
      await consume(log, {
        topics: [topic],
        handler: async (batch) => {
          if (batch.records[0]?.key === 'a' && failures-- > 0) throw new Error('not now');
          await inbox.take(batch);
        },
      });
      await log.publish([1, 2, 3].map((n) => note(topic, 'a', n)));
      await until(() => expect(inbox.of('a')).toEqual([1, 2, 3]));
    });

    it('a record that is still being retried when its consumer closes is delivered to the next one, and what lies behind it', async () => {
      const log = await open();
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const [first, second] = [new Inbox(), new Inbox()];
      const consumer = await consume(log, {
        topics: [topic],
        maxRetries: 1_000,
        handler: async (batch) => {
          if (batch.records.some((one) => one.key === 'bad')) throw new Error('not here');
          await first.take(batch);
        },
      });
      await log.publish([note(topic, 'good', 1), note(topic, 'bad', 1), note(topic, 'good', 2)]);
      await until(() => expect(first.of('good')).toEqual([1, 2]));
      await consumer[Symbol.asyncDispose]();
      await consume(log, { topics: [topic], handler: second.take });
      await until(() => expect(second.of('bad')).toEqual([1]));
      expect(second.of('good')).toEqual([2]);
    });

    it('members share the partitions when one joins, and nothing is lost when one leaves', async () => {
      const [left, right] = [await open(), await open()];
      const topic = noteTopic('facts');
      const [leftInbox, rightInbox] = [new Inbox(), new Inbox()];
      const first = await consume(left, { topics: [topic], handler: leftInbox.take });
      await vi.waitFor(async () => expect((await first.lag()).size).toBe(4), { timeout: 15_000 });
      const second = await consume(right, { topics: [topic], handler: rightInbox.take });
      const sizes = async () => [(await first.lag()).size, (await second.lag()).size];
      await vi.waitFor(async () => expect(await sizes()).toEqual([2, 2]), { timeout: 15_000 });
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
      await left.publish(keys.map((key) => note(topic, key, 1)));
      await until(() => expect(leftInbox.records.length + rightInbox.records.length).toBe(20));
      expect(leftInbox.records.length).toBeGreaterThan(0);
      expect(rightInbox.records.length).toBeGreaterThan(0);
      await first[Symbol.asyncDispose]();
      await left.publish(keys.map((key) => note(topic, key, 2)));
      await until(() => expect(rightInbox.numbers.filter((n) => n === 2)).toHaveLength(20));
    });

    it('a paused consumer gets nothing until it is resumed', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      const [paused, control] = [new Inbox(), new Inbox()];
      const consumer = await consume(log, { group: 'paused', topics: [topic], handler: paused.take });
      await vi.waitFor(async () => expect((await consumer.lag()).size).toBe(4), { timeout: 15_000 });
      consumer.pause();
      await consume(log, { group: 'control', topics: [topic], handler: control.take });
      await log.publish([note(topic, 'a', 1)]);
      await until(() => expect(control.numbers).toEqual([1]));
      expect(paused.numbers).toEqual([]);
      await vi.waitFor(async () => expect([...(await consumer.lag()).values()].reduce((a, b) => a + b)).toBe(1n));
      consumer.resume();
      await until(() => expect(paused.numbers).toEqual([1]));
    });

    it('a slow handler is given bounded batches and the lag tells what waits', async () => {
      const log = await open();
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const sizes: number[] = [];
      let release: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const consumer = await consume(log, {
        topics: [topic],
        maxBatchRecords: 10,
        handler: async (batch) => {
          sizes.push(batch.records.length);
          await gate;
        },
      });
      await log.publish(Array.from({ length: 95 }, (_, n) => note(topic, `k${n}`, n)));
      await until(() => expect(sizes).toEqual([10]));
      await vi.waitFor(async () => expect([...(await consumer.lag()).values()]).toEqual([95n]), { timeout: 15_000 });
      expect(sizes).toEqual([10]);
      release();
      await until(() => expect(sizes.reduce((a, b) => a + b)).toBe(95));
      expect(Math.max(...sizes)).toBe(10);
    });

    it('an explicit commit with metadata is what the next owner of the partition is told', async () => {
      const [doomed, heir] = [await open(), await open()];
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      let committed = false;
      await consume(doomed, {
        topics: [topic],
        handler: async (batch) => {
          await batch.commit(batch.records[0]?.offset ?? 0n, '{"last":1}');
          committed = true;
          await new Promise<void>((resolve) => batch.signal.addEventListener('abort', () => resolve()));
          throw new Error('killed before the sink answered');
        },
      });
      await heir.publish([note(topic, 'a', 0), note(topic, 'a', 1)]);
      await until(() => expect(committed).toBe(true));
      const seen: unknown[] = [];
      await consume(heir, {
        topics: [topic],
        handler: async (batch) => void seen.push([batch.metadata, batch.records.map((one) => one.value?.n)]),
      });
      await harness?.kill(doomed);
      await until(() => expect(seen).toEqual([['{"last":1}', [0, 1]]]));
    });

    it('where handlers commit, a killed member’s last commit is where the next one begins, and its text is told', async () => {
      const [doomed, heir] = [await open(), await open()];
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const batches: Batch<Note>[] = [];
      const given = () => batches.flatMap(({ records }) => records.map((one) => one.value?.n));
      await consume(doomed, {
        ...{ topics: [topic], commits: 'handler', maxBatchRecords: 3 },
        handler: async (batch) => void batches.push(batch),
      });
      const numbers = Array.from({ length: 10 }, (_, n) => n);
      await heir.publish(numbers.map((n) => note(topic, `k${n}`, n)));
      await until(() => expect(given()).toEqual(numbers));
      // Long after the handler returned, and in the middle of a batch: the unit it makes of the records is its own affair.
      await batches[0]?.commit(4n, 'until 4');
      await batches.at(-1)?.commit(5n, 'until 5');
      await harness?.kill(doomed);
      const seen: (readonly [string, number | undefined])[] = [];
      await consume(heir, {
        ...{ topics: [topic], commits: 'handler' },
        handler: async ({ metadata, records }) =>
          void seen.push(...records.map((one) => [metadata, one.value?.n] as const)),
      });
      await until(() => expect(seen).toEqual(numbers.slice(5).map((n) => ['until 5', n])));
    });

    it('where handlers commit, nothing else does: what was handled without is delivered again', async () => {
      const log = await open();
      const topic: Topic<Note> = { ...noteTopic('facts'), partitions: 1 };
      const [first, second] = [new Inbox(), new Inbox()];
      const metadata: string[] = [];
      const consumer = await consume(log, { topics: [topic], commits: 'handler', handler: first.take });
      await log.publish([1, 2].map((n) => note(topic, 'a', n)));
      await until(() => expect(first.numbers).toEqual([1, 2]));
      await log.publish([note(topic, 'a', 3)]);
      await until(() => expect(first.numbers).toEqual([1, 2, 3]));
      await consumer[Symbol.asyncDispose]();
      await consume(log, {
        ...{ topics: [topic], commits: 'handler' },
        handler: async (batch) => {
          metadata.push(batch.metadata);
          await second.take(batch);
        },
      });
      await until(() => expect(second.numbers).toEqual([1, 2, 3]));
      expect(new Set(metadata)).toEqual(new Set(['']));
    });

    it('a follower sees everything from the earliest on, in order, and says when it has caught up', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      await publishVisibly(
        log,
        [1, 2, 3].map((n) => note(topic, 'a', n)),
      );
      const inbox = new Inbox();
      const follower = await log.follow({ topic, from: 'earliest', onRecord: (one) => inbox.records.push(one) });
      await follower.caughtUp;
      expect(inbox.numbers).toEqual([1, 2, 3]);
      await log.publish([note(topic, 'a', 4)]);
      await until(() => expect(inbox.numbers).toEqual([1, 2, 3, 4]));
    });

    it('a follower from the latest sees only what comes after it was opened', async () => {
      const log = await open();
      const topic = noteTopic('facts');
      await publishVisibly(log, [note(topic, 'a', 1)]);
      const inbox = new Inbox();
      await log.follow({ topic, from: 'latest', onRecord: (one) => inbox.records.push(one) });
      await log.publish([note(topic, 'a', 2)]);
      await until(() => expect(inbox.numbers).toEqual([2]));
    });

    it('a table opened later holds the last value of each key and none of the removed', async () => {
      const log = await open();
      const topic = noteTopic('state');
      await publishVisibly(log, [note(topic, 'a', 1), note(topic, 'b', 1), note(topic, 'a', 2), note(topic, 'c', 1)]);
      await publishVisibly(log, [tombstone(topic, 'b')]);
      const table = (await open()).table(topic);
      await table.ready;
      expect(table.isReady).toBe(true);
      expect(new Map(table.entries())).toEqual(
        new Map([
          ['a', { key: 'a', n: 2 }],
          ['c', { key: 'c', n: 1 }],
        ]),
      );
      expect(table.size).toBe(2);
    });

    it('a table follows changes and tells its listeners the value before', async () => {
      const log = await open();
      const topic = noteTopic('state');
      const table = log.table(topic);
      await table.ready;
      const changes: unknown[] = [];
      const stop = table.onChange((key, value, previous) => changes.push([key, value?.n, previous?.n]));
      await log.publish([note(topic, 'a', 1)]);
      await log.publish([note(topic, 'a', 2), tombstone(topic, 'a'), tombstone(topic, 'a')]);
      await until(() =>
        expect(changes).toEqual([
          ['a', 1, undefined],
          ['a', 2, 1],
          ['a', undefined, 2],
        ]),
      );
      stop();
      await log.publish([note(topic, 'a', 3)]);
      await until(() => expect(table.get('a')?.n).toBe(3));
      expect(changes).toHaveLength(3);
    });

    it('retention drops what is older than the topic keeps, and a new group starts after it', async () => {
      const log = await open();
      const topic = noteTopic('facts', hourMs);
      const now = Date.now();
      await publishVisibly(log, [{ ...note(topic, 'a', 1), timeMs: now - 2 * hourMs }]);
      await publishVisibly(log, [{ ...note(topic, 'a', 2), timeMs: now }]);
      await harness?.retain([topic], now + 1);
      const inbox = new Inbox();
      await consume(log, { topics: [topic], handler: inbox.take });
      await until(() => expect(inbox.numbers).toEqual([2]));
    });

    it('compaction keeps the last value of each key of a state topic however old, for tables and groups', async () => {
      const log = await open();
      const topic = noteTopic('state');
      const old = Date.now() - 30 * dayMs;
      const records = [note(topic, 'a', 1), note(topic, 'a', 2), note(topic, 'b', 1), tombstone(topic, 'b')];
      await publishVisibly(
        log,
        records.map((one) => ({ ...one, timeMs: old })),
      );
      await harness?.retain([topic], Date.now());
      const inbox = new Inbox();
      await consume(log, { topics: [topic], handler: inbox.take });
      const table = (await open()).table(topic);
      await table.ready;
      expect([...table.entries()]).toEqual([['a', { key: 'a', n: 2 }]]);
      const kept = harness?.compaction === 'eventual' ? [1, 2] : [2];
      await until(() => expect(inbox.of('a')).toEqual(kept));
      await log.publish([note(topic, 'a', 3)]);
      await until(() => expect(inbox.of('a')).toEqual([...kept, 3]));
    });

    it('last values of a state topic with a retention expire', async () => {
      const log = await open();
      const topic = noteTopic('state', hourMs);
      const now = Date.now();
      await publishVisibly(log, [{ ...note(topic, 'old', 1), timeMs: now - 2 * hourMs }]);
      await publishVisibly(log, [{ ...note(topic, 'new', 1), timeMs: now }]);
      await harness?.retain([topic], now + 1);
      const table = (await open()).table(topic);
      await table.ready;
      expect([...table.entries()].map(([key]) => key)).toEqual(['new']);
    });
  });
}
