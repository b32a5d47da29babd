/**
 * How the records of one partition reach a group's handler, whichever log carries them. A batch that fails is split; a record
 * that fails alone blocks only its key, is retried with backoff, and is parked in the end. The owner calls one method at a time.
 */
import type { Clock } from '@millrace/clock';
import { deadLetterTopicOf, type Topic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import { BlockedKeys, type DueRecord } from './blocked-keys.ts';
import type { ConsumeOptions, LogRecord, NewRecord } from './event-log.ts';
import { record } from './new-record.ts';
import type { LogObserver } from './observer.ts';
import { decodeRecord, type StoredRecord } from './record-codec.ts';

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: LogObserver;
  /** In [0, 1): jitter of backoffs. */
  readonly random: () => number;
  publish(records: readonly NewRecord[]): Promise<void>;
}

export interface DeliveryTarget {
  readonly topic: Topic;
  readonly partition: number;
  /** Aborted when the partition is lost or the consumer closes. */
  readonly signal: AbortSignal;
  /** Of the group's last commit. */
  readonly metadata: string;
  /** See `Batch.commit`. */
  commit(offset: bigint, metadata: string): Promise<void>;
  /** Something was handled: the position may be committed. */
  onProgress(): void;
}

export const defaultMaxBatchRecords = 500;
const retryCapMs = 30_000;
/** Records that may wait behind blocked keys in one partition before it stops fetching. */
const maxWaiting = 2_000;

export class PartitionDelivery {
  /** Where to read on; undefined before the first delivery. */
  position: bigint | undefined;
  /** Offset that the partition's next record will have. */
  end = 0n;
  readonly #deps: DeliveryDeps;
  readonly #options: ConsumeOptions<unknown>;
  readonly #target: DeliveryTarget;
  readonly #blocked: BlockedKeys;
  #metadata: string;

  constructor(deps: DeliveryDeps, options: ConsumeOptions<unknown>, target: DeliveryTarget) {
    this.#deps = deps;
    this.#options = options;
    this.#target = target;
    this.#metadata = target.metadata;
    const policy = { maxRetries: options.maxRetries ?? 5, baseMs: options.retryBaseMs ?? 200, capMs: retryCapMs };
    this.#blocked = new BlockedKeys(policy, deps.random);
  }

  /** Offset before which everything is handled or parked: what a commit may say. */
  get handledTo(): bigint | undefined {
    return this.#blocked.firstOffset ?? this.position;
  }

  /** Records that are read and wait behind a failed one. */
  get waiting(): number {
    return this.#blocked.size;
  }

  /** Too many wait: read no more until some are through. */
  get full(): boolean {
    return this.#blocked.size >= maxWaiting;
  }

  /** By the deps' monotonic clock; undefined when nothing waits. */
  get nextDueMs(): number | undefined {
    return this.#blocked.nextDueMs;
  }

  committedWith(metadata: string): void {
    this.#metadata = metadata;
  }

  /**
   * Hands records over in batches of the size that the consumer asked for. Ends early when the target's signal aborts, or
   * before a batch for which `goOn` says no; `position` tells how far it came.
   */
  async take(stored: readonly StoredRecord[], goOn: () => boolean = () => true): Promise<void> {
    const max = this.#options.maxBatchRecords ?? defaultMaxBatchRecords;
    for (let first = 0; first < stored.length; first += max) {
      if (this.#target.signal.aborted || !goOn()) return;
      const records = stored.length <= max ? stored : stored.slice(first, first + max);
      if (!(await this.#deliver(await this.#decode(records)))) return;
      const last = records.at(-1);
      if (last !== undefined) this.position = last.offset + 1n;
      this.#target.onProgress();
    }
  }

  /** Retries or parks one record that is due; false when none is. */
  async retryOne(): Promise<boolean> {
    const due = this.#blocked.due(this.#deps.clock.monotonicMs());
    if (due === undefined) return false;
    await this.#retry(due);
    return true;
  }

  async #decode(stored: readonly StoredRecord[]): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (const one of stored) {
      const decoded = decodeRecord(this.#target.topic, one);
      if (decoded.ok) records.push(decoded.value);
      else await this.#park({ ...one, value: one.value }, decoded.error, 0);
    }
    return records;
  }

  /** False when it was aborted before all were handled, or are waiting for a retry. */
  async #deliver(records: readonly LogRecord[]): Promise<boolean> {
    const { signal } = this.#target;
    const free = records.filter((one) => !this.#blocked.waitBehind(one));
    if (free.length === 0) return true;
    try {
      await this.#call(free);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const only = free.length === 1 ? free[0] : undefined;
      if (only !== undefined) {
        this.#failed(only, error, 1);
        return true;
      }
    }
    for (const one of free) {
      if (signal.aborted) return false;
      if (this.#blocked.waitBehind(one)) continue;
      try {
        await this.#call([one]);
      } catch (error) {
        if (signal.aborted) return false;
        this.#failed(one, error, 1);
      }
    }
    return true;
  }

  async #retry({ record: one, attempts, error, exhausted }: DueRecord): Promise<void> {
    const now = () => this.#deps.clock.monotonicMs();
    if (exhausted) {
      try {
        await this.#park(one, error, attempts);
      } catch (parkError) {
        this.#blocked.postpone(one.key, now());
        throw parkError;
      }
      this.#blocked.advance(one.key, now());
    } else {
      try {
        await this.#call([one]);
        this.#blocked.advance(one.key, now());
      } catch (again) {
        this.#failed(one, again, attempts + 1);
      }
    }
    this.#target.onProgress();
  }

  async #call(records: readonly LogRecord[]): Promise<void> {
    await this.#options.handler({
      ...{ topic: this.#target.topic.name, partition: this.#target.partition, records, metadata: this.#metadata },
      highWatermark: this.end,
      signal: this.#target.signal,
      commit: async (offset, metadata) => {
        await this.#target.commit(offset, metadata);
        this.#metadata = metadata;
      },
    });
    this.#deps.observer.delivered(this.#options.group, this.#target.topic.name, records.length);
  }

  #failed(one: LogRecord, error: unknown, attempt: number): void {
    if (this.#target.signal.aborted) return;
    this.#blocked.fail(one, error, this.#deps.clock.monotonicMs());
    this.#deps.observer.retried(this.#options.group, this.#target.topic.name);
    const where = { group: this.#options.group, topic: this.#target.topic.name, partition: this.#target.partition };
    this.#deps.log.warn('log-handler-failed', {
      ...{ ...where, offset: one.offset.toString(), key: one.key, event_id: one.id, attempt, error },
    });
  }

  async #park(one: Omit<LogRecord, 'value'> & { value: unknown }, error: unknown, attempts: number): Promise<void> {
    const letter = record(deadLetterTopicOf(this.#target.topic), {
      ...{ type: 'RecordParked' as const, topic: one.topic, partition: one.partition, key: one.key },
      ...{ offset: one.offset.toString(), event_id: one.id, group: this.#options.group, attempts },
      error: (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2_000),
      value: one.value ?? null,
      at_ms: this.#deps.clock.nowMs(),
    });
    await this.#deps.publish([{ ...letter, id: `${one.id}:${this.#options.group}` }]);
    this.#deps.observer.parked(this.#options.group, this.#target.topic.name);
    this.#deps.log.error('log-record-parked', {
      ...{
        group: this.#options.group,
        topic: this.#target.topic.name,
        partition: this.#target.partition,
        offset: one.offset.toString(),
      },
      ...{ key: one.key, event_id: one.id, error },
    });
  }
}
