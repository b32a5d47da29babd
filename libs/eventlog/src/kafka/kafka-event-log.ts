/** The EventLog port on Apache Kafka. */
import { type Clock, sleep, systemClock } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { type IdSource, newId, systemIdSource } from '@millrace/ids';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { ConsumeOptions, Consumer, EventLog, Follower, FollowOptions, NewRecord, Table } from '../event-log.ts';
import { type LogObserver, noObserver } from '../observer.ts';
import { type EncodedRecord, encodeRecord } from '../record-codec.ts';
import { TableCopy } from '../table-copy.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import type { KafkaAccess } from './kafka-connection.ts';
import { KafkaGroupConsumer } from './kafka-consumer.ts';
import { type FollowerDeps, KafkaFollower } from './kafka-follower.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { LogIdentity } from './log-identity.ts';
import type { GroupTiming } from './session-deps.ts';
import { TopicReader } from './topic-reader.ts';

export interface KafkaEventLogOptions {
  readonly access: KafkaAccess;
  /** CloudEvents source of records that name none, and the client's name at the brokers. */
  readonly source: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** See `eventLogMetrics`. */
  readonly metrics?: LogObserver;
  readonly groups?: Partial<GroupTiming>;
  /** After this long without the brokers a publish rejects, ms; default 15 s. */
  readonly publishTimeoutMs?: number;
}

export class KafkaEventLog implements EventLog {
  readonly #deps: FollowerDeps & { readonly access: KafkaAccess };
  readonly #source: string;
  readonly #timing: GroupTiming;
  readonly #ids: IdSource;
  readonly #writer: KafkaWriter;
  readonly #identity: LogIdentity;
  readonly #consumers = new Set<KafkaGroupConsumer>();
  readonly #readers = new Set<AsyncDisposable>();
  #closing: Promise<void> | undefined;

  constructor(options: KafkaEventLogOptions) {
    const { access, log, source: clientId, clock = systemClock, metrics: observer = noObserver } = options;
    const random = Math.random;
    const admin = new KafkaAdmin(access, clientId, log);
    const onRebuilt = () => observer.clientRebuilt('reader');
    const reader = new TopicReader({ access, clientId, log, clock, random, onRebuilt });
    this.#deps = { access, admin, reader, clock, log, observer, random };
    this.#source = options.source;
    this.#ids = { nowMs: () => clock.nowMs(), random: systemIdSource.random };
    this.#timing = {
      ...{ sessionTimeoutMs: 15_000, heartbeatMs: 2_000, rebalanceGraceMs: 5_000, commitIntervalMs: 200 },
      ...options.groups,
    };
    const publishTimeoutMs = options.publishTimeoutMs ?? 15_000;
    this.#writer = new KafkaWriter({ ...this.#deps, clientId, publishTimeoutMs });
    this.#identity = new LogIdentity(this.#deps);
  }

  async publish(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#writer.write(topicsOf(records), this.encode(records));
  }

  /** Checks and encodes records. Throws on one that does not fit its topic. */
  protected encode(records: readonly NewRecord[]): readonly EncodedRecord[] {
    const attributes = { ids: this.#ids, source: this.#source };
    return records.map((one) => encodeRecord(one, attributes));
  }

  async consume<T>(options: ConsumeOptions<T>): Promise<Consumer> {
    if (this.#closing !== undefined) throw new Error('the log is closed');
    const clientId = `${this.#source}-${options.group}-${newId('evt', this.#ids).slice(-6)}`;
    const deps = {
      ...this.#deps,
      ...{ clientId, timing: this.#timing },
      publish: (records: readonly NewRecord[]) => this.publish(records),
    };
    // The batches of one consumer carry the values of its own topics, decoded by their schemas.
    const untyped = options as unknown as ConsumeOptions<unknown>;
    const consumer = new KafkaGroupConsumer(deps, untyped, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  async follow<T>(options: FollowOptions<T>): Promise<Follower> {
    const follower = this.#own(new KafkaFollower<T>(this.#deps, options));
    await follower.positioned;
    return follower;
  }

  table<T>(topic: Topic<T>): Table<T> {
    if (topic.kind !== 'state') throw new Error(`a table needs a state topic, ${topic.name} holds ${topic.kind}`);
    return this.#own(
      new TableCopy<T>((onRecord) => new KafkaFollower<T>(this.#deps, { topic, from: 'earliest', onRecord })),
    );
  }

  async identity(signal?: AbortSignal): Promise<string> {
    const { clock, random } = this.#deps;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#identity.read();
      } catch (error) {
        signal?.throwIfAborted();
        if (this.#closing !== undefined) throw error;
        await sleep(clock, backoffMs(failures, 100, 5_000, random()), signal);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** As kill -9 would: no commit, no goodbye to the groups. For tests. */
  async kill(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.kill()));
    await this[Symbol.asyncDispose]();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer[Symbol.asyncDispose]()));
    await Promise.all([...this.#readers].map((reader) => reader[Symbol.asyncDispose]()));
    await this.#writer[Symbol.asyncDispose]();
    await this.#deps.reader[Symbol.asyncDispose]();
    await this.#deps.admin[Symbol.asyncDispose]();
  }

  #own<R extends AsyncDisposable>(reader: R): R {
    const close = reader[Symbol.asyncDispose].bind(reader);
    this.#readers.add(reader);
    reader[Symbol.asyncDispose] = () => {
      this.#readers.delete(reader);
      return close();
    };
    return reader;
  }
}

/** The topics of records, each once. */
export function topicsOf(records: readonly NewRecord[]): readonly Topic[] {
  return [...new Set(records.map((one) => one.topic))];
}

/** Opens the log on Kafka. It resolves without the brokers: what needs them goes on trying, or rejects (publish). */
export function openKafkaEventLog(options: KafkaEventLogOptions): Promise<KafkaEventLog> {
  return Promise.resolve(new KafkaEventLog(options));
}
