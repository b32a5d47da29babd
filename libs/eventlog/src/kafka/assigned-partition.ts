/** One partition that a group has given to this member, from one assignment to the next. */
import type { Topic } from '@millrace/events';
import type { ConsumeOptions } from '../event-log.ts';
import type { TopicPartition } from '../log-store.ts';
import { type DeliveryDeps, PartitionDelivery } from '../partition-delivery.ts';
import type { StoredRecord } from '../record-codec.ts';
import type { CommittedOffset } from './kafka-admin.ts';

export interface AssignedPartitionDeps extends DeliveryDeps {
  commit(partition: AssignedPartition, offset: bigint, metadata: string): Promise<void>;
  onProgress(): void;
  /** Whether the consumer is paused. */
  paused(): boolean;
  /** Waiting records went through or are too many: fetching is to go on or to stop. */
  setFetching(partition: AssignedPartition, fetching: boolean): void;
}

export class AssignedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** What was committed last, to commit only what is new. */
  committed: bigint | undefined;
  readonly #deps: AssignedPartitionDeps;
  readonly #delivery: PartitionDelivery;
  readonly #abort = new AbortController();
  /** Where a group that never committed begins. */
  readonly #start: bigint;
  readonly #byHandler: boolean;
  #tail: Promise<unknown>;
  #timer: { cancel(): void } | undefined;
  #stoppedFetching = false;

  /** `after`: what still runs in this partition from an assignment before. */
  constructor(
    deps: AssignedPartitionDeps,
    options: ConsumeOptions<unknown>,
    topic: Topic,
    place: { partition: number; from: CommittedOffset; start: bigint; end: bigint; after: Promise<unknown> },
  ) {
    this.topic = topic.name;
    this.partition = place.partition;
    this.committed = place.from.offset;
    this.#deps = deps;
    this.#start = place.start;
    this.#byHandler = options.commits === 'handler';
    this.#tail = place.after;
    this.#delivery = new PartitionDelivery(deps, options, {
      ...{ topic, partition: place.partition, metadata: place.from.metadata, signal: this.#abort.signal },
      commit: async (offset, metadata) => {
        await deps.commit(this, offset, metadata);
        this.committed = offset;
      },
      onProgress: () => deps.onProgress(),
    });
    this.#delivery.end = place.end;
  }

  /** Next offset to hand over. */
  get position(): bigint {
    return this.#delivery.position ?? this.committed ?? this.#start;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Where a commit would stand if it is ahead of the last one. */
  get uncommitted(): bigint | undefined {
    if (this.#byHandler) return undefined;
    const offset = this.#delivery.handledTo;
    return offset === this.committed ? undefined : offset;
  }

  /** Records of those that are read which wait behind a failed one. */
  get waiting(): number {
    return this.#delivery.waiting;
  }

  /** Settles when nothing runs here any more. */
  get idle(): Promise<unknown> {
    return this.#tail;
  }

  /** Counts what lies before `offset` as handled. */
  beginAt(offset: bigint): void {
    this.#delivery.position = offset;
  }

  committedTo(offset: bigint): void {
    this.committed = offset;
    this.#delivery.committedWith('');
  }

  /** The partition is lost or the consumer closes: running handlers are told, nothing new begins. */
  abort(): void {
    this.#timer?.cancel();
    this.#abort.abort();
  }

  /** Hands over what was fetched; resolves when it is handled or waits for a retry. */
  take(stored: readonly StoredRecord[], highWatermark: bigint, goOn: () => boolean): Promise<void> {
    return this.#alone(async () => {
      this.#delivery.end = highWatermark;
      await this.#delivery.take(stored, goOn);
      this.#plan();
    });
  }

  /** Looks again at what is due, e.g. after a pause. */
  wake(): void {
    this.#plan();
  }

  /** One after the other: a handler is never called twice at once for one partition. */
  #alone(work: () => Promise<void>): Promise<void> {
    const run = this.#tail.then(work);
    this.#tail = run.catch(() => {}); // whoever asked for it is told
    return run;
  }

  /** Sees to the next retry and to whether fetching may go on. */
  #plan(): void {
    if (this.signal.aborted) return;
    if (this.#delivery.full !== this.#stoppedFetching) {
      this.#stoppedFetching = this.#delivery.full;
      this.#deps.setFetching(this, !this.#stoppedFetching);
    }
    this.#timer?.cancel();
    const dueMs = this.#delivery.nextDueMs;
    if (dueMs === undefined || this.#deps.paused()) return;
    const delayMs = Math.max(0, dueMs - this.#deps.clock.monotonicMs());
    this.#timer = this.#deps.clock.after(delayMs, () => void this.#alone(() => this.#retry()));
  }

  async #retry(): Promise<void> {
    try {
      while (!this.signal.aborted && !this.#deps.paused() && (await this.#delivery.retryOne()));
    } catch (error) {
      // Parking failed: the log is away. The record was put off.
      this.#deps.log.warn('log-retry-failed', { topic: this.topic, partition: this.partition, error });
    }
    this.#plan();
  }
}
