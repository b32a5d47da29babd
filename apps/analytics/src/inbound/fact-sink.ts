/**
 * Facts from the log into ClickHouse, exactly once: a consumer that commits by ranges. Batches grow with the load, from what came
 * within the linger to `maxRecords` of a partition, and few inserts run at once. ClickHouse being away is no error of a record:
 * facts then wait in the log, and readiness says so.
 */

import type { Clock } from '@millrace/clock';
import { type Batch, type Consumer, type EventLog, type LogRecord, record as newRecord } from '@millrace/eventlog';
import { deadLetterTopicOf, type Topic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import type { FactInsert } from '../core/fact-insert.ts';
import { factTopics, rowsOf } from '../core/fact-rows.ts';
import { InsertTurns } from '../core/insert-turns.ts';
import { SinkBudget } from '../core/sink-budget.ts';
import { PartitionSink, type PartitionSinkObserver } from './partition-sink.ts';

export interface FactSinkOptions {
  readonly eventLog: EventLog;
  readonly insert: FactInsert;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: FactSinkMetrics;
  readonly random?: () => number;
  /** Group in the log; default `analytics`. */
  readonly group?: string;
  /** Longest wait of a record for company, ms; default 700. */
  readonly lingerMs?: number;
  /** Records of one partition in one insert; default 10,000. */
  readonly maxRecords?: number;
  /** Records in memory; default 60,000. */
  readonly maxBufferedRecords?: number;
  /** Inserts at once; default 3. */
  readonly inserts?: number;
}

/** What the sink counts. */
export interface FactSinkMetrics {
  inserted(table: string, rows: number, seconds: number): void;
  insertFailed(table: string, reason: string): void;
  parked(topic: string): void;
  queryable(delaySeconds: number): void;
}

export interface FactSink extends AsyncDisposable {
  /** Why facts do not arrive; undefined when they do. For readiness. */
  readonly trouble: string | undefined;
  /** Records in memory. */
  readonly buffered: number;
  /** Records not yet handed to the sink, by `topic/partition`. */
  lag(): Promise<ReadonlyMap<string, bigint>>;
}

/** Starts the sink. Closing it stops between two attempts; what it had not closed is inserted by the next one. */
export async function openFactSink(options: FactSinkOptions): Promise<FactSink> {
  const { eventLog, log, clock, metrics } = options;
  const group = options.group ?? 'analytics';
  const topics = new Map(factTopics.map((topic) => [topic.name, topic]));
  const budget = new SinkBudget(options.maxBufferedRecords ?? 60_000);
  const turns = new InsertTurns(options.inserts ?? 3);
  const troubles = new Map<string, string>();
  const observer: PartitionSinkObserver = {
    inserted: (table, rows, seconds) => metrics.inserted(table, rows, seconds),
    away: (partition, table, reason, error) => {
      metrics.insertFailed(table, reason);
      const text = `${table}: ${reason}: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`;
      log[troubles.size === 0 ? 'error' : 'debug']('facts-not-inserted', { partition, table, reason, error });
      troubles.set(partition, text);
    },
    back: (partition) => {
      troubles.delete(partition);
      if (troubles.size === 0) log.warn('facts-inserted-again', { partition });
    },
    parked: (topic) => metrics.parked(topic),
    crashed: (partition, error) => log.error('fact-sink-crashed', { partition, error }),
    queryable: (delayMs) => metrics.queryable(delayMs / 1_000),
  };
  const deps = {
    ...{ clock, budget, rowsOf, observer, random: options.random ?? Math.random },
    limits: { maxRecords: options.maxRecords ?? 10_000, lingerMs: options.lingerMs ?? 700 },
    insert: options.insert,
    inTurn: <T>(work: () => Promise<T>, signal: AbortSignal) => turns.run(work, signal),
    park: (record: LogRecord, error: unknown) => park(eventLog, topics, group, clock, record, error),
  };
  const partitions = new Map<string, PartitionSink>();
  const consumer: Consumer = await eventLog.consume<unknown>({
    group,
    topics: factTopics,
    commits: 'handler',
    maxBatchRecords: 2_000,
    handler: async (batch: Batch) => {
      const id = `${batch.topic}/${batch.partition}`;
      let sink = partitions.get(id);
      // Another signal is another assignment: what was taken under the old one is read again.
      if (sink === undefined || sink.signal !== batch.signal) {
        await sink?.[Symbol.asyncDispose]();
        troubles.delete(id);
        sink = new PartitionSink(deps, batch);
        partitions.set(id, sink);
      }
      await sink.take(batch);
    },
  });
  return {
    get trouble() {
      return troubles.values().next().value;
    },
    get buffered() {
      return budget.used;
    },
    lag: () => consumer.lag(),
    [Symbol.asyncDispose]: async () => {
      await consumer[Symbol.asyncDispose]();
      await Promise.all([...partitions.values()].map((sink) => sink[Symbol.asyncDispose]()));
    },
  };
}

/** As the log itself parks what a handler refuses; the id makes a repetition recognisable. */
async function park(
  eventLog: EventLog,
  topics: ReadonlyMap<string, Topic>,
  group: string,
  clock: Clock,
  one: LogRecord,
  error: unknown,
): Promise<void> {
  const topic = topics.get(one.topic);
  if (topic === undefined) return;
  const letter = newRecord(deadLetterTopicOf(topic), {
    ...{ type: 'RecordParked' as const, topic: one.topic, partition: one.partition, key: one.key },
    ...{ offset: one.offset.toString(), event_id: one.id, group, attempts: 1 },
    error: (error instanceof Error ? error.message : String(error)).slice(0, 2_000),
    value: one.value ?? null,
    at_ms: clock.nowMs(),
  });
  await eventLog.publish([{ ...letter, id: `${one.id}:${group}` }]);
}
