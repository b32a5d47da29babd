/** A log under load while its brokers are disturbed: what is acknowledged must arrive, each key in order, duplicates known by id. */
import { type EventLog, record } from '@millrace/eventlog';
import { defineTopic, hourMs, keepForever, type Topic } from '@millrace/events';
import { z } from 'zod';

const schema = z.object({ key: z.string(), n: z.int() });
type Note = z.infer<typeof schema>;
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
let topics = 0;

function noteTopic(kind: 'facts' | 'state'): Topic<Note> {
  const name = `brokers.notes-${process.pid}-${++topics}.v1`;
  const retentionMs = kind === 'state' ? keepForever : hourMs;
  return defineTopic<Note>({ name, kind, schema, key: (value) => value.key, partitions: 6, doc: name, retentionMs });
}

/** What one reader was given: for each key the numbers in order of their first arrival. */
class Arrivals {
  duplicates = 0;
  readonly #ids = new Set<string>();
  readonly #numbers = new Map<string, number[]>(keys.map((key) => [key, []]));

  take({ id, key, value }: { readonly id: string; readonly key: string; readonly value: Note | undefined }): void {
    if (this.#ids.has(id)) {
      this.duplicates++;
      return;
    }
    this.#ids.add(id);
    this.#numbers.get(key)?.push(value?.n ?? -1);
  }

  /** What differs from 0 to `count - 1` for each key; empty when nothing does. */
  wrong(count: number): string[] {
    return [...this.#numbers].flatMap(([key, numbers]) => {
      const at = numbers.findIndex((n, index) => n !== index);
      if (at >= 0) return [`key ${key}: expected ${at} at its place, got ${numbers[at]}`];
      return numbers.length === count ? [] : [`key ${key}: expected ${count} records, got ${numbers.length}`];
    });
  }
}

export interface Ride {
  /** Publishing goes on: resolves when some more was acknowledged; throws after 40 s. */
  goesOn(why: string): Promise<void>;
}

/** Publishes, consumes, follows and keeps a table while `disturb` runs; returns what was wrong afterwards, and the counts. */
export async function rideThrough(
  log: EventLog,
  disturb: (ride: Ride) => Promise<void>,
): Promise<{ wrong: readonly string[]; acknowledged: number; duplicates: number }> {
  const [topic, state] = [noteTopic('facts'), noteTopic('state')];
  const [handled, followed] = [new Arrivals(), new Arrivals()];
  await using table = log.table(state);
  await log.publish([record(state, { key: 'a', n: 1 })]);
  await until('the table has its first value', 15_000, () => table.get('a')?.n === 1);
  await using _consumer = await log.consume({
    group: topic.name,
    topics: [topic],
    handler: async ({ records }) => {
      for (const one of records) handled.take(one);
    },
  });
  await using _follower = await log.follow({ topic, from: 'earliest', onRecord: (one) => followed.take(one) });
  let acknowledged = 0;
  let stop = false;
  const publishing = (async () => {
    while (!stop) {
      const n = acknowledged;
      const records = keys.map((key) => record(topic, { key, n }, { id: `evt_${key}_${n}` }));
      const publish = () =>
        log.publish(records).then(
          () => true,
          () => false,
        );
      // At least once: what was refused is sent again under the same ids.
      while (!(await publish()));
      acknowledged++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const wrong: string[] = [];
  try {
    await disturb({
      goesOn: async (why) => {
        const from = acknowledged;
        await until(`publishing goes on ${why}`, 40_000, () => acknowledged > from + 20);
        if (table.get('a')?.n !== 1) wrong.push(`${why} the table lost its copy`);
      },
    });
  } finally {
    stop = true;
    await publishing;
  }
  const lacking = () => [
    ...handled.wrong(acknowledged).map((text) => `the group: ${text}`),
    ...followed.wrong(acknowledged).map((text) => `the follower: ${text}`),
  ];
  await until('everything has arrived', 40_000, () => lacking().length === 0).catch(() => wrong.push(...lacking()));
  await log.publish([record(state, { key: 'a', n: 2 })]);
  await until('the table goes on', 15_000, () => table.get('a')?.n === 2).catch(() => wrong.push('the table stopped'));
  return { wrong, acknowledged, duplicates: handled.duplicates };
}

async function until(what: string, deadlineMs: number, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`expected within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
