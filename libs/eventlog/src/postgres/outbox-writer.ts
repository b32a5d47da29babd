/**
 * Group commit: while one insert is on its way, what comes meanwhile gathers and goes with the next, in the order of the
 * calls. Bounded: beyond it a call is refused, so that an outage of the database cannot fill the memory.
 */
import type { Topic } from '@millrace/events';
import type { Sql, TransactionSql } from '@millrace/postgres';
import type { EncodedBatch } from './batch-codec.ts';
import type { LogDatabase } from './log-database.ts';

interface Pending {
  readonly topics: readonly Topic[];
  readonly batches: readonly EncodedBatch[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const maxPendingLength = 16_000_000;
const maxInsertLength = 2_000_000;

/** The outbox is full: the database is away or too slow. */
class OutboxFullError extends Error {
  readonly retryable = true;
}

export class OutboxWriter {
  readonly #database: LogDatabase;
  readonly #afterInsert: () => void;
  readonly #notify: boolean;
  readonly #pending: Pending[] = [];
  #pendingLength = 0;
  #writing: Promise<void> | undefined;

  /** `notify`: tell an appender in another process; `afterInsert`: tell the one in this. */
  constructor(database: LogDatabase, options: { notify: boolean; afterInsert: () => void }) {
    this.#database = database;
    this.#notify = options.notify;
    this.#afterInsert = options.afterInsert;
  }

  write(topics: readonly Topic[], batches: readonly EncodedBatch[]): Promise<void> {
    if (this.#pendingLength > maxPendingLength) {
      return Promise.reject(
        new OutboxFullError(
          `the log's outbox has ${this.#pendingLength} characters waiting: the database does not keep up`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ topics, batches, resolve, reject });
      this.#pendingLength += lengthOf(batches);
      this.#writing ??= this.#run();
    });
  }

  /** Waits for what is on its way. */
  async drain(): Promise<void> {
    await this.#writing;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // calls of the same turn go together
    while (this.#pending.length > 0) {
      const taken: Pending[] = [];
      let length = 0;
      while (this.#pending[0] !== undefined && (taken.length === 0 || length < maxInsertLength)) {
        const next = this.#pending.shift();
        if (next === undefined) break;
        taken.push(next);
        length += lengthOf(next.batches);
      }
      try {
        const batches = taken.flatMap((one) => one.batches);
        // Here and not in `write`, where waiting for it would let later calls overtake.
        await this.#database.ensureTopics(taken.flatMap((one) => one.topics));
        await insertIntoOutbox(await this.#database.sql(), batches, this.#notify);
        for (const one of taken) one.resolve();
        this.#afterInsert();
      } catch (error) {
        for (const one of taken) one.reject(error);
      }
      this.#pendingLength -= length;
    }
    this.#writing = undefined;
  }
}

/** Inserts batches in order. With `notify` the appender hears of it when the transaction commits. */
export async function insertIntoOutbox(
  sql: Sql | TransactionSql,
  batches: readonly EncodedBatch[],
  notify: boolean,
): Promise<void> {
  const insert = sql`
    INSERT INTO eventlog.outbox (topic, partition, count, newest_ms, records)
    SELECT topic, partition, count, newest_ms, records FROM unnest(
      ${batches.map((b) => b.topic)}::text[], ${batches.map((b) => b.partition)}::int[],
      ${batches.map((b) => b.count)}::int[], ${batches.map((b) => String(b.newestMs))}::int8[],
      ${batches.map((b) => b.records)}::text[]
    ) WITH ORDINALITY AS given (topic, partition, count, newest_ms, records, place) ORDER BY place`;
  if (!notify) {
    await insert;
    return;
  }
  await sql`WITH inserted AS (${insert} RETURNING id) SELECT pg_notify(${outboxChannel}, '') FROM inserted LIMIT 1`;
}

export const outboxChannel = 'millrace_outbox';

function lengthOf(batches: readonly EncodedBatch[]): number {
  let length = 0;
  for (const batch of batches) length += batch.records.length;
  return length;
}
