/**
 * Reads every partition of a topic without a group, in offset order per partition, and goes on after outages of the
 * store from where it was.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { Follower, LogRecord } from './event-log.ts';
import type { LogStore, PartitionRange } from './log-store.ts';
import type { LogObserver } from './observer.ts';
import { decodeRecord } from './record-codec.ts';
import { Wakeup } from './wakeup.ts';

export interface ReaderDeps {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: LogObserver;
  /** In [0, 1): jitter of backoffs. */
  readonly random: () => number;
}

const maxRecordsPerRead = 500;
const retryCapMs = 5_000;

export interface FollowerOptions<T> {
  readonly topic: Topic<T>;
  readonly from: 'earliest' | 'latest' | 'last-values';
  readonly onRecord: (record: LogRecord<T>) => void;
}

export class TopicFollower<T> implements Follower {
  readonly caughtUp: Promise<void>;
  /** Resolves once the start positions are known: what is published after it is delivered. */
  readonly positioned: Promise<void>;
  readonly #deps: ReaderDeps;
  readonly #options: FollowerOptions<T>;
  readonly #abort = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #positions = new Map<number, bigint>();
  readonly #ends = new Map<number, bigint>();
  /** What was there at the start, by partition; empties as it is delivered. */
  readonly #backlog = new Map<number, bigint>();
  readonly #done: Promise<void>;
  #positionedNow: () => void = () => {};
  #caughtUpNow: () => void = () => {};

  constructor(deps: ReaderDeps, options: FollowerOptions<T>) {
    this.#deps = deps;
    this.#options = options;
    const closed = new Promise<never>((_, reject) => {
      this.#abort.signal.addEventListener('abort', () =>
        reject(new Error(`reader of ${options.topic.name} was closed`)),
      );
    });
    const untilClosed = (start: (resolve: () => void) => void) => {
      const promise = Promise.race([new Promise<void>(start), closed]);
      promise.catch(() => {}); // who awaits it sees the rejection; nobody has to
      return promise;
    };
    this.positioned = untilClosed((resolve) => {
      this.#positionedNow = resolve;
    });
    this.caughtUp = untilClosed((resolve) => {
      this.#caughtUpNow = resolve;
    });
    const stopListening = deps.store.onAdvance((topic, partition, end) => {
      if (topic !== options.topic.name) return;
      if (end > (this.#ends.get(partition) ?? 0n)) this.#ends.set(partition, end);
      this.#wakeup.ring();
    });
    this.#done = this.#run(this.#abort.signal).finally(stopListening);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#positions.size === 0) this.#begin(await this.#deps.store.ranges(this.#options.topic));
        else if (await this.#readBehind(signal)) {
          failures = 0;
          continue;
        }
        failures = 0;
        if (this.#behind().size === 0) await this.#wakeup.wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        const level = failures === 0 ? 'warn' : 'debug';
        this.#deps.log[level]('log-read-failed', { topic: this.#options.topic.name, error });
        await sleep(this.#deps.clock, backoffMs(failures++, 100, retryCapMs, this.#deps.random()), signal);
      }
    }
  }

  #begin(ranges: readonly PartitionRange[]): void {
    ranges.forEach((range, partition) => {
      const from = this.#options.from === 'latest' ? range.end : range.start;
      this.#positions.set(partition, this.#options.from === 'last-values' ? 0n : from);
      if (range.end > (this.#ends.get(partition) ?? 0n)) this.#ends.set(partition, range.end);
      if (range.end > from) this.#backlog.set(partition, range.end);
    });
    this.#positionedNow();
    if (this.#backlog.size === 0) this.#caughtUpNow();
  }

  #behind(): Map<number, bigint> {
    const behind = new Map<number, bigint>();
    for (const [partition, position] of this.#positions) {
      if (position < (this.#ends.get(partition) ?? 0n)) behind.set(partition, position);
    }
    return behind;
  }

  /** Reads once where there is more; false when there was nothing to read. */
  async #readBehind(signal: AbortSignal): Promise<boolean> {
    const behind = this.#behind();
    if (behind.size === 0) return false;
    const { topic, from } = this.#options;
    const latestOnly = from === 'last-values' && this.#backlog.size > 0;
    const slices = await this.#deps.store.read(topic, behind, maxRecordsPerRead, { latestOnly });
    for (const slice of slices) {
      if (signal.aborted) return false;
      for (const stored of slice.records) {
        const decoded = decodeRecord(topic, stored);
        if (decoded.ok) this.#options.onRecord(decoded.value);
        else this.#skip(stored.partition, stored.offset, decoded.error);
      }
      this.#positions.set(slice.partition, slice.nextOffset);
      const backlogEnd = this.#backlog.get(slice.partition);
      if (backlogEnd !== undefined && slice.nextOffset >= backlogEnd) {
        this.#backlog.delete(slice.partition);
        if (this.#backlog.size === 0) this.#caughtUpNow();
      }
    }
    return true;
  }

  #skip(partition: number, offset: bigint, error: string): void {
    this.#deps.observer.invalid(this.#options.topic.name);
    this.#deps.log.warn('log-record-skipped', {
      ...{ topic: this.#options.topic.name, partition, offset: offset.toString(), error },
    });
  }
}
