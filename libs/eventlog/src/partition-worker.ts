/** One partition as one member of a group reads it from a store: fetch, hand to the handler, remember how far it got. */
import { sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { backoffMs } from '@millrace/lifecycle';
import type { ConsumeOptions, NewRecord } from './event-log.ts';
import type { Claim, CommitPosition, TopicPartition } from './log-store.ts';
import { defaultMaxBatchRecords, PartitionDelivery } from './partition-delivery.ts';
import type { ReaderDeps } from './topic-follower.ts';
import { Wakeup } from './wakeup.ts';

export interface WorkerDeps extends ReaderDeps {
  publish(records: readonly NewRecord[]): Promise<void>;
  /** Writes a position durably; rejects when the partition is lost. */
  commit(position: CommitPosition): Promise<void>;
  /** The worker's position moved: commit it soon. */
  onProgress(): void;
}

export class PartitionWorker implements AsyncDisposable, TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #deps: WorkerDeps;
  readonly #options: ConsumeOptions<unknown>;
  readonly #schema: Topic;
  readonly #claim: Claim;
  readonly #abort = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #delivery: PartitionDelivery;
  readonly #done: Promise<void>;
  #committed: bigint | undefined;
  #paused: boolean;

  constructor(deps: WorkerDeps, options: ConsumeOptions<unknown>, topic: Topic, claim: Claim, paused: boolean) {
    this.topic = claim.topic;
    this.partition = claim.partition;
    this.#deps = deps;
    this.#options = options;
    this.#schema = topic;
    this.#claim = claim;
    this.#committed = claim.committed;
    this.#paused = paused;
    this.#delivery = new PartitionDelivery(deps, options, {
      ...{ topic, partition: claim.partition, metadata: claim.metadata, signal: this.#abort.signal },
      commit: async (offset, metadata) => {
        const { partition, generation } = claim;
        await deps.commit({ topic: claim.topic, partition, generation, offset, metadata });
        this.committedTo(offset, metadata);
      },
      onProgress: () => deps.onProgress(),
    });
    this.#done = this.#run(this.#abort.signal);
  }

  /** Stops without a commit; waits for a running handler. Its position can still be read. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  advancedTo(end: bigint): void {
    if (end > this.#delivery.end) this.#delivery.end = end;
    this.#wakeup.ring();
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#wakeup.ring();
  }

  /** Where a commit would stand if it is ahead of the last one. */
  get uncommitted(): CommitPosition | undefined {
    if (this.#options.commits === 'handler') return undefined;
    const offset = this.#delivery.handledTo;
    if (offset === undefined || offset === this.#committed) return undefined;
    const { topic, partition, generation } = this.#claim;
    return { topic, partition, generation, offset, metadata: '' };
  }

  committedTo(offset: bigint, metadata: string): void {
    this.#committed = offset;
    this.#delivery.committedWith(metadata);
  }

  /** Records that are not handled yet. */
  get lag(): bigint {
    const { position, end, waiting } = this.#delivery;
    return (position === undefined ? 0n : end - position) + BigInt(waiting);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const delivery = this.#delivery;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (delivery.position === undefined) await this.#begin();
        const retried = !this.#paused && (await delivery.retryOne());
        if (!retried) {
          if (!this.#paused && !delivery.full && (delivery.position ?? 0n) < delivery.end) await this.#fetch(signal);
          else await this.#wait(signal);
        }
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
    this.#delivery.position = this.#claim.committed ?? (this.#options.from === 'latest' ? range.end : range.start);
  }

  #wait(signal: AbortSignal): Promise<void> {
    const dueMs = this.#paused ? undefined : this.#delivery.nextDueMs;
    if (dueMs === undefined) return this.#wakeup.wait(signal);
    return this.#wakeup.wait(signal, this.#deps.clock, Math.max(0, dueMs - this.#deps.clock.monotonicMs()));
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const from = new Map([[this.partition, this.#delivery.position ?? 0n]]);
    const max = this.#options.maxBatchRecords ?? defaultMaxBatchRecords;
    const slice = (await this.#deps.store.read(this.#schema, from, max))[0];
    if (slice === undefined || signal.aborted) return;
    // A stored batch may be longer than one delivery: the rest is handed over in further calls, not read again.
    await this.#delivery.take(slice.records);
    if (signal.aborted) return;
    this.#delivery.position = slice.nextOffset;
    this.#deps.onProgress();
  }
}
