/** A follower of one topic on the process's TopicReader: no group, positions in memory. */
import { sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { Follower, LogRecord } from '../event-log.ts';
import type { DeliveryDeps } from '../partition-delivery.ts';
import { decodeRecord } from '../record-codec.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import { decodeMessage } from './message-codec.ts';
import type { TopicReader } from './topic-reader.ts';

export interface FollowerDeps extends Omit<DeliveryDeps, 'publish'> {
  readonly admin: KafkaAdmin;
  readonly reader: TopicReader;
}

export interface KafkaFollowerOptions<T> {
  readonly topic: Topic<T>;
  readonly from: 'earliest' | 'latest';
  readonly onRecord: (record: LogRecord<T>) => void;
}

interface Settle {
  readonly positioned: () => void;
  readonly caughtUp: () => void;
  readonly closed: (error: Error) => void;
}

export class KafkaFollower<T> implements Follower {
  readonly caughtUp: Promise<void>;
  /** Resolves once the start positions are known: what is published after it is delivered. */
  readonly positioned: Promise<void>;
  readonly #deps: FollowerDeps;
  readonly #options: KafkaFollowerOptions<T>;
  readonly #starting: Background;
  /** What was there at the start, by partition; empties as it is delivered. */
  readonly #backlog = new Map<number, bigint>();
  readonly #settle: Settle;
  #stop: () => void = () => {};
  #closed = false;

  constructor(deps: FollowerDeps, options: KafkaFollowerOptions<T>) {
    this.#deps = deps;
    this.#options = options;
    const settle: Partial<Record<'positioned' | 'caughtUp' | 'closed', (error?: Error) => void>> = {};
    const closed = new Promise<never>((_, reject) => {
      settle.closed = reject;
    });
    const untilClosed = (name: 'positioned' | 'caughtUp') => {
      const promise = Promise.race([
        new Promise<void>((resolve) => {
          settle[name] = () => resolve();
        }),
        closed,
      ]);
      promise.catch(() => {}); // who awaits it sees the rejection; nobody has to
      return promise;
    };
    this.positioned = untilClosed('positioned');
    this.caughtUp = untilClosed('caughtUp');
    this.#settle = settle as Settle;
    this.#starting = new Background(
      (signal) => this.#start(signal),
      (error) => deps.log.error('kafka-follower-crashed', { topic: options.topic.name, error }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    this.#settle.closed(new Error(`reader of ${this.#options.topic.name} was closed`));
    await this.#starting[Symbol.asyncDispose]();
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { admin, reader, clock, log } = this.#deps;
    const { topic, from } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await admin.ensureTopics([topic]);
        const ranges = await admin.ranges(topic.name);
        if (signal.aborted) return;
        const positions = new Map<number, bigint>();
        ranges.forEach(({ start, end }, partition) => {
          const position = from === 'latest' ? end : start;
          positions.set(partition, position);
          if (end > position) this.#backlog.set(partition, end);
        });
        this.#stop = reader.add({
          ...{ topic: admin.nameOf(topic.name), positions },
          onMessages: (partition, messages) => {
            for (const message of messages) this.#take(partition, message);
          },
          onAdvance: (partition) => this.#advance(partition, positions.get(partition) ?? 0n),
        });
        this.#settle.positioned();
        if (this.#backlog.size === 0) this.#settle.caughtUp();
        return;
      } catch (error) {
        if (signal.aborted) return;
        log[failures === 0 ? 'warn' : 'debug']('log-read-failed', { topic: topic.name, error });
        await sleep(clock, backoffMs(failures, 100, 5_000, this.#deps.random()), signal);
      }
    }
  }

  #take(partition: number, message: Parameters<typeof decodeMessage>[2]): void {
    if (this.#closed) return;
    const { topic, onRecord } = this.#options;
    const decoded = decodeRecord(topic, decodeMessage(topic.name, partition, message));
    if (decoded.ok) {
      onRecord(decoded.value);
      return;
    }
    this.#deps.observer.invalid(topic.name);
    this.#deps.log.warn('log-record-skipped', {
      ...{ topic: topic.name, partition, offset: message.offset, error: decoded.error },
    });
  }

  #advance(partition: number, position: bigint): void {
    const end = this.#backlog.get(partition);
    if (end === undefined || position < end || this.#closed) return;
    this.#backlog.delete(partition);
    if (this.#backlog.size === 0) this.#settle.caughtUp();
  }
}
