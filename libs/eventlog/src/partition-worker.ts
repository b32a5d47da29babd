/**
 * One partition as one member of a group reads it: fetch, hand to the handler, remember how far it got. A batch that
 * fails is split; a record that fails alone blocks only its key, is retried with backoff, and is parked in the end.
 */
import { sleep } from '@millrace/clock';
import { deadLetterTopicOf, type Topic } from '@millrace/events';
import { backoffMs } from '@millrace/lifecycle';
import { BlockedKeys, type DueRecord } from './blocked-keys.ts';
import type { ConsumeOptions, LogRecord, NewRecord } from './event-log.ts';
import type { Claim, CommitPosition, TopicPartition } from './log-store.ts';
import { record } from './new-record.ts';
import { decodeRecord, type StoredRecord } from './record-codec.ts';
import type { ReaderDeps } from './topic-follower.ts';
import { Wakeup } from './wakeup.ts';

export interface WorkerDeps extends ReaderDeps {
  publish(records: readonly NewRecord[]): Promise<void>;
  /** Writes a position durably; rejects when the partition is lost. */
  commit(position: CommitPosition): Promise<void>;
  /** The worker's position moved: commit it soon. */
  onProgress(): void;
}

const defaultMaxBatchRecords = 500;
const retryCapMs = 30_000;
/** Records that may wait behind blocked keys in one partition before it stops fetching. */
const maxWaiting = 2_000;

export class PartitionWorker implements AsyncDisposable, TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #deps: WorkerDeps;
  readonly #options: ConsumeOptions<unknown>;
  readonly #schema: Topic;
  readonly #claim: Claim;
  readonly #abort = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #blocked: BlockedKeys;
  readonly #done: Promise<void>;
  #position: bigint | undefined;
  #end = 0n;
  #committed: bigint | undefined;
  #metadata: string;
  #paused: boolean;

  constructor(deps: WorkerDeps, options: ConsumeOptions<unknown>, topic: Topic, claim: Claim, paused: boolean) {
    this.topic = claim.topic;
    this.partition = claim.partition;
    this.#deps = deps;
    this.#options = options;
    this.#schema = topic;
    this.#claim = claim;
    this.#committed = claim.committed;
    this.#metadata = claim.metadata;
    this.#paused = paused;
    const policy = { maxRetries: options.maxRetries ?? 5, baseMs: options.retryBaseMs ?? 200, capMs: retryCapMs };
    this.#blocked = new BlockedKeys(policy, deps.random);
    this.#done = this.#run(this.#abort.signal);
  }

  /** Stops without a commit; waits for a running handler. Its position can still be read. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  advancedTo(end: bigint): void {
    if (end > this.#end) this.#end = end;
    this.#wakeup.ring();
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#wakeup.ring();
  }

  /** Where a commit would stand if it is ahead of the last one. */
  get uncommitted(): CommitPosition | undefined {
    const offset = this.#blocked.firstOffset ?? this.#position;
    if (offset === undefined || offset === this.#committed) return undefined;
    const { topic, partition, generation } = this.#claim;
    return { topic, partition, generation, offset, metadata: '' };
  }

  committedTo(offset: bigint, metadata: string): void {
    this.#committed = offset;
    this.#metadata = metadata;
  }

  /** Records that are not handled yet. */
  get lag(): bigint {
    const unread = this.#position === undefined ? 0n : this.#end - this.#position;
    return unread + BigInt(this.#blocked.size);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#position === undefined) await this.#begin();
        const due = this.#paused ? undefined : this.#blocked.due(this.#deps.clock.monotonicMs());
        if (due !== undefined) await this.#retry(due);
        else if (!this.#paused && this.#blocked.size < maxWaiting && (this.#position ?? 0n) < this.#end) {
          await this.#fetch(signal);
        } else await this.#wait(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const where = { group: this.#options.group, topic: this.topic, partition: this.partition };
        this.#deps.log[failures === 0 ? 'warn' : 'debug']('log-consume-failed', { ...where, error });
        await sleep(this.#deps.clock, backoffMs(failures++, 100, 5_000, this.#deps.random()), signal);
      }
    }
  }

  async #begin(): Promise<void> {
    const range = (await this.#deps.store.ranges(this.#schema))[this.partition];
    if (range === undefined) throw new Error(`${this.topic} has no partition ${this.partition}`);
    this.advancedTo(range.end);
    this.#position = this.#claim.committed ?? (this.#options.from === 'latest' ? range.end : range.start);
  }

  #wait(signal: AbortSignal): Promise<void> {
    const dueMs = this.#paused ? undefined : this.#blocked.nextDueMs;
    if (dueMs === undefined) return this.#wakeup.wait(signal);
    return this.#wakeup.wait(signal, this.#deps.clock, Math.max(0, dueMs - this.#deps.clock.monotonicMs()));
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const position = this.#position ?? 0n;
    const max = this.#options.maxBatchRecords ?? defaultMaxBatchRecords;
    const from = new Map([[this.partition, position]]);
    const slice = (await this.#deps.store.read(this.#schema, from, max))[0];
    if (slice === undefined || signal.aborted) return;
    // A stored batch may be longer than one delivery: the rest is handed over in further calls, not read again.
    for (let first = 0; first < slice.records.length; first += max) {
      if (signal.aborted) return;
      const records = slice.records.slice(first, first + max);
      await this.#deliver(await this.#decode(records));
      const last = records.at(-1);
      if (last !== undefined) this.#position = last.offset + 1n;
      this.#deps.onProgress();
    }
    this.#position = slice.nextOffset;
    this.#deps.onProgress();
  }

  async #decode(stored: readonly StoredRecord[]): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (const one of stored) {
      const decoded = decodeRecord(this.#schema, one);
      if (decoded.ok) records.push(decoded.value);
      else await this.#park({ ...one, value: one.value }, decoded.error, 0);
    }
    return records;
  }

  async #deliver(records: readonly LogRecord[]): Promise<void> {
    const free = records.filter((one) => !this.#blocked.waitBehind(one));
    if (free.length === 0) return;
    try {
      await this.#call(free);
      return;
    } catch (error) {
      const only = free.length === 1 ? free[0] : undefined;
      if (only !== undefined) return this.#failed(only, error, 1);
    }
    for (const one of free) {
      if (this.#abort.signal.aborted) return;
      if (this.#blocked.waitBehind(one)) continue;
      await this.#call([one]).catch((error: unknown) => this.#failed(one, error, 1));
    }
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
    this.#deps.onProgress();
  }

  async #call(records: readonly LogRecord[]): Promise<void> {
    await this.#options.handler({
      ...{ topic: this.topic, partition: this.partition, records, metadata: this.#metadata },
      highWatermark: this.#end,
      signal: this.#abort.signal,
      commit: async (offset, metadata) => {
        const { topic, partition, generation } = this.#claim;
        await this.#deps.commit({ topic, partition, generation, offset, metadata });
        this.committedTo(offset, metadata);
      },
    });
    this.#deps.observer.delivered(this.#options.group, this.topic, records.length);
  }

  #failed(one: LogRecord, error: unknown, attempt: number): void {
    if (this.#abort.signal.aborted) return;
    this.#blocked.fail(one, error, this.#deps.clock.monotonicMs());
    this.#deps.observer.retried(this.#options.group, this.topic);
    const where = { group: this.#options.group, topic: this.topic, partition: this.partition };
    this.#deps.log.warn('log-handler-failed', {
      ...{ ...where, offset: one.offset.toString(), key: one.key, event_id: one.id, attempt, error },
    });
  }

  async #park(one: Omit<LogRecord, 'value'> & { value: unknown }, error: unknown, attempts: number): Promise<void> {
    const letter = record(deadLetterTopicOf(this.#schema), {
      ...{ type: 'RecordParked' as const, topic: one.topic, partition: one.partition, key: one.key },
      ...{ offset: one.offset.toString(), event_id: one.id, group: this.#options.group, attempts },
      error: (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2_000),
      value: one.value ?? null,
      at_ms: this.#deps.clock.nowMs(),
    });
    await this.#deps.publish([{ ...letter, id: `${one.id}:${this.#options.group}` }]);
    this.#deps.observer.parked(this.#options.group, this.topic);
    this.#deps.log.error('log-record-parked', {
      ...{ group: this.#options.group, topic: this.topic, partition: this.partition, offset: one.offset.toString() },
      ...{ key: one.key, event_id: one.id, error },
    });
  }
}
