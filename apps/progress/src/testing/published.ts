import type { EventLog, LogRecord } from '@millrace/eventlog';
import type { Topic } from '@millrace/events';
import type { Sql } from '@millrace/postgres';

const pollMs = 5;
const patienceMs = 15_000;

/** All that was published to `topic` until now, oldest first. It comes to the log a moment after its commit, so the outbox is awaited. */
export async function published<T>(sql: Sql, eventLog: EventLog, topic: Topic<T>): Promise<readonly LogRecord<T>[]> {
  for (const untilMs = performance.now() + patienceMs; ; ) {
    const [waiting] = await sql`SELECT 1 FROM eventlog.outbox LIMIT 1`;
    if (waiting === undefined) break;
    if (performance.now() > untilMs) throw new Error(`expected an empty outbox within ${patienceMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const records: LogRecord<T>[] = [];
  const follower = await eventLog.follow({ topic, from: 'earliest', onRecord: (one) => void records.push(one) });
  await follower.caughtUp;
  await follower[Symbol.asyncDispose]();
  return records;
}
