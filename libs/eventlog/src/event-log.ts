/**
 * The port of the event log, shaped so that Kafka fits it: topics with partitions, batches, bigint offsets, groups that
 * rebalance, backpressure by pausing. Readers get records at least once and in order per key.
 */
import type { Topic } from '@millrace/events';

/** What a writer hands in. `id` makes redelivery recognisable; `value` undefined is a tombstone of a state topic. */
export interface NewRecord<T = unknown> {
  readonly topic: Topic<T>;
  readonly key: string;
  readonly value: T | undefined;
  /** CloudEvents id; minted (`evt_...`) when absent. */
  readonly id?: string;
  /** CloudEvents time, ms since 1970; the appender's clock when absent. */
  readonly timeMs?: number;
  /** CloudEvents source: the instance that says it. Defaults to the log's own. */
  readonly source?: string;
}

/** What a reader gets: the value has passed the topic's schema. */
export interface LogRecord<T = unknown> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: T | undefined;
  readonly id: string;
  readonly timeMs: number;
  readonly source: string;
  /** CloudEvents type: the value's `type` field, else the topic's name. */
  readonly type: string;
}

export interface Batch<T = unknown> {
  readonly topic: string;
  readonly partition: number;
  /** Not empty, in offset order. */
  readonly records: readonly LogRecord<T>[];
  /** Offset that the partition's next record will have: lag = highWatermark - last offset - 1. */
  readonly highWatermark: bigint;
  /** Aborted when the partition is lost to another member or the consumer closes. */
  readonly signal: AbortSignal;
  /** The metadata of the group's last commit in this partition; empty when there is none. */
  readonly metadata: string;
  /**
   * Commits `offset` (the next one the group wants) with a free text, durably and at once. For sinks that must know after
   * a crash what they were about to write; others rely on the commit at the batch's end, whose metadata is empty.
   * Rejects when the partition was lost.
   */
  commit(offset: bigint, metadata: string): Promise<void>;
}

export interface ConsumeOptions<T> {
  readonly group: string;
  readonly topics: readonly Topic<T>[];
  /**
   * Handles one batch; resolves when all of it is done, then its end is committed. May be called for several partitions at
   * once, never twice at once for one. When it rejects, the batch is split and the failing record is retried with
   * backoff, then parked in the dead-letter topic `<topic>.dlq` with its error; other keys go on. Never runs long work.
   */
  readonly handler: (batch: Batch<T>) => Promise<void>;
  /** Where a group without a commit starts; default `earliest`. */
  readonly from?: 'earliest' | 'latest';
  readonly maxBatchRecords?: number;
  /**
   * Who says how far the group is. `log` (default): handled batches are committed. `handler`: only `Batch.commit` does, so a
   * handler may keep records beyond its call and make larger units of them; what it has not committed is delivered again.
   */
  readonly commits?: 'log' | 'handler';
  /** Retries of a failing record before it is parked; default 5. */
  readonly maxRetries?: number;
  /** First backoff, ms; default 200, doubling with jitter, at most 30 s. */
  readonly retryBaseMs?: number;
}

/** A running member of a group. Closing it stops reading, waits for the running handlers and commits. */
export interface Consumer extends AsyncDisposable {
  /** Stops fetching until `resume`; running handlers go on. */
  pause(): void;
  resume(): void;
  /** Records not yet handled, by `topic/partition`. */
  lag(): Promise<ReadonlyMap<string, bigint>>;
}

export interface FollowOptions<T> {
  readonly topic: Topic<T>;
  /** `earliest`: all that is kept; `latest`: what comes to the log from now on, be it published a moment before. */
  readonly from: 'earliest' | 'latest';
  /** Called in order, synchronously; must not throw. */
  readonly onRecord: (record: LogRecord<T>) => void;
}

/** A reader without a group: it sees every record itself and commits nothing. */
export interface Follower extends AsyncDisposable {
  /** Resolves once every record that was in the topic when it started has been delivered. */
  readonly caughtUp: Promise<void>;
}

/** A read-only copy of a compacted topic in memory. */
export interface Table<T> extends AsyncDisposable {
  /** Resolves once it has reached the offsets that were current at its start. A table that is not ready is not empty. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  get(key: string): T | undefined;
  readonly size: number;
  entries(): IterableIterator<readonly [string, T]>;
  /** Calls back after every change from now on (`value` undefined: removed); returns how to stop. */
  onChange(listener: (key: string, value: T | undefined, previous: T | undefined) => void): () => void;
}

export interface EventLog extends AsyncDisposable {
  /** Appends durably: resolves once the records are in the log (or its outbox, in one transaction). */
  publish(records: readonly NewRecord[]): Promise<void>;
  consume<T>(options: ConsumeOptions<T>): Promise<Consumer>;
  follow<T>(options: FollowOptions<T>): Promise<Follower>;
  /**
   * Names the log's history: equal for all who read this log, different once it was lost or replaced, so that positions in it mean
   * nothing any more. Waits for the log; rejects when `signal` aborts first.
   */
  identity(signal?: AbortSignal): Promise<string>;
  /** Opens a table; it keeps trying in the background while the log is away. `ready` tells when it can be trusted. */
  table<T>(topic: Topic<T>): Table<T>;
}
