/**
 * Reads partitions without a group, for followers and tables: nothing is joined, nothing committed, so that nothing is left behind
 * even by a process that was killed. kafkajs has no `assign`; this is its Fetch request below its consumer. All readers of a
 * process share one connection and one long poll a broker.
 */
import { type Clock, sleep } from '@millrace/clock';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { KafkaMessage } from 'kafkajs';
import Cluster, { type FetchedPartition } from 'kafkajs/src/cluster/index.js';
import { createLogger } from 'kafkajs/src/loggers/index.js';
import type { PartitionRange } from '../log-store.ts';
import { Wakeup } from '../wakeup.ts';
import { clientRetry, type KafkaAccess, KafkaConnection, within } from './kafka-connection.ts';

/** A topic that is read; the reader moves its positions. */
export interface Reading {
  /** Name at the brokers. */
  readonly topic: string;
  /** Next offset wanted, by partition. */
  readonly positions: Map<number, bigint>;
  /** Called in order of offsets, with none before the position; must not throw. */
  readonly onMessages: (partition: number, messages: readonly KafkaMessage[]) => void;
  /** The position of `partition` moved, perhaps over offsets that hold nothing. */
  readonly onAdvance: (partition: number) => void;
}

export interface TopicReaderDeps {
  readonly access: KafkaAccess;
  readonly clientId: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** The client was given up and built anew. */
  readonly onRebuilt: () => void;
}

/** Longest wait of a fetch for something new, ms: so late can a new reading be taken along. */
const maxWaitMs = 150;
const maxBytesPerPartition = 262_144;
/** As it comes, that is compressed: JSON is some ten times as long. */
const maxBytesPerFetch = 1_048_576;
const readCommitted = 1;

export class TopicReader implements AsyncDisposable {
  readonly #deps: TopicReaderDeps;
  readonly #readings = new Set<Reading>();
  readonly #wakeup = new Wakeup();
  readonly #loop: Background;
  /** Fetches that are on their way, by broker. */
  readonly #fetching = new Map<number, Promise<void>>();
  #client: { readonly cluster: Cluster; readonly connection: KafkaConnection } | undefined;
  #rung: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(deps: TopicReaderDeps) {
    this.#deps = deps;
    this.#loop = new Background(
      (signal) => this.#run(signal),
      (error) => deps.log.error('kafka-reader-crashed', { error }),
    );
  }

  /** Reads from now on; returns how to stop. */
  add(reading: Reading): () => void {
    this.#readings.add(reading);
    this.#wakeup.ring();
    return () => this.#readings.delete(reading);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#readings.clear();
    const client = this.#client;
    const closing = this.#loop[Symbol.asyncDispose]();
    // A fetch that waits for news would hold up the close for nothing.
    client?.connection.destroy();
    await within(closing, 5_000);
    await this.#drop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#readings.size === 0) {
          await (this.#rung ?? this.#wakeup.wait(signal));
          continue;
        }
        const cluster = await this.#connected();
        await cluster.addMultipleTargetTopics([...new Set([...this.#readings].map(({ topic }) => topic))]);
        await cluster.refreshMetadataIfNecessary();
        this.#startFetches(cluster);
        // Kept from round to round: each wait holds a listener of the signal.
        this.#rung ??= this.#wakeup.wait(signal).finally(() => {
          this.#rung = undefined;
        });
        await Promise.race([...this.#fetching.values(), this.#rung]);
        if (this.#failure !== undefined) throw this.#failure;
        failures = 0;
      } catch (error) {
        this.#failure = undefined;
        if (signal.aborted) return;
        this.#deps.log[failures === 0 ? 'info' : 'debug']('kafka-read-failed', { error });
        await this.#recover(error, failures);
        await sleep(this.#deps.clock, backoffMs(failures++, 50, 2_000, this.#deps.random()), signal);
      }
    }
  }

  /** One fetch a broker at a time: a broker without news does not hold up the others. */
  #startFetches(cluster: Cluster): void {
    const plan = new Map<number, Map<string, Map<number, bigint>>>();
    for (const { topic, positions } of this.#readings) {
      const leaders = new Map(cluster.findTopicPartitionMetadata(topic).map((one) => [one.partitionId, one.leader]));
      for (const [partition, position] of positions) {
        const leader = leaders.get(partition);
        if (leader === undefined || leader < 0 || this.#fetching.has(leader)) continue;
        const ofLeader = entry(plan, leader, () => new Map<string, Map<number, bigint>>());
        const ofTopic = entry(ofLeader, topic, () => new Map<number, bigint>());
        // Readings of one topic share a fetch, from the position of the one furthest behind.
        const other = ofTopic.get(partition);
        if (other === undefined || position < other) ofTopic.set(partition, position);
      }
    }
    for (const [nodeId, topics] of plan) {
      const fetch = this.#fetch(cluster, nodeId, topics)
        .catch((error: Error) => {
          this.#failure ??= error;
        })
        .finally(() => this.#fetching.delete(nodeId));
      this.#fetching.set(nodeId, fetch);
    }
    if (this.#fetching.size === 0) throw new Error('no partition has a leader');
  }

  async #fetch(
    cluster: Cluster,
    nodeId: number,
    topics: ReadonlyMap<string, ReadonlyMap<number, bigint>>,
  ): Promise<void> {
    const broker = await cluster.findBroker({ nodeId });
    const { responses } = await broker.fetch({
      ...{ maxWaitTime: maxWaitMs, minBytes: 1, maxBytes: maxBytesPerFetch, isolationLevel: readCommitted, rackId: '' },
      topics: [...topics].map(([topic, positions]) => ({
        topic,
        partitions: [...positions].map(([partition, position]) => ({
          ...{ partition, fetchOffset: position.toString(), maxBytes: maxBytesPerPartition },
        })),
      })),
    });
    const nothing = responses.every(({ partitions }) => partitions.every(({ messages }) => messages.length === 0));
    for (const { topicName, partitions } of responses) {
      for (const fetched of partitions) {
        const asked = topics.get(topicName)?.get(fetched.partition);
        if (asked !== undefined) this.#handOver(topicName, fetched, asked, nothing);
      }
    }
  }

  #handOver(
    topic: string,
    { partition, messages, lastStableOffset }: FetchedPartition,
    asked: bigint,
    nothing: boolean,
  ) {
    const last = messages.at(-1);
    for (const reading of this.#readings) {
      const position = reading.positions.get(partition);
      // A position before what was asked for is of a reading that came meanwhile.
      if (reading.topic !== topic || position === undefined || position < asked) continue;
      if (last !== undefined) {
        const next = BigInt(last.offset) + 1n;
        if (next <= position) continue;
        const fresh = position === asked && BigInt(messages[0]?.offset ?? 0) >= position;
        reading.onMessages(partition, fresh ? messages : messages.filter(({ offset }) => BigInt(offset) >= position));
        reading.positions.set(partition, next);
        reading.onAdvance(partition);
      } else if (nothing && BigInt(lastStableOffset) > position) {
        // Nothing at all came, so no other partition took the room: compaction has left these offsets empty.
        reading.positions.set(partition, BigInt(lastStableOffset));
        reading.onAdvance(partition);
      }
    }
  }

  async #connected(): Promise<Cluster> {
    if (this.#client !== undefined) return this.#client.cluster;
    const connection = new KafkaConnection(this.#deps.access, `${this.#deps.clientId}-reader`, this.#deps.log);
    const { settings } = connection;
    const cluster = new Cluster({
      ...settings,
      logger: createLogger({ level: 4, logCreator: settings.logCreator ?? (() => () => {}) }),
      ...{ retry: clientRetry, metadataMaxAge: 60_000, allowAutoTopicCreation: false, maxInFlightRequests: null },
      ...{ isolationLevel: readCommitted, offsets: new Map() },
    });
    this.#client = { cluster, connection };
    await cluster.connect();
    return cluster;
  }

  async #recover(error: unknown, failures: number): Promise<void> {
    if (isOffsetOutOfRange(error)) await this.#moveIntoRange(error.topic, error.partition).catch(() => {});
    else if (failures < 3 && this.#client !== undefined) await this.#client.cluster.refreshMetadata().catch(() => {});
    else {
      await this.#drop();
      this.#deps.onRebuilt();
    }
  }

  /** Retention has overtaken a reader, or the topic was made anew: it goes on with the oldest that is there. */
  async #moveIntoRange(topic: string, partition: number): Promise<void> {
    const cluster = await this.#connected();
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
    const [end] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: false }]);
    const range = { start: BigInt(found?.partitions[0]?.offset ?? 0), end: BigInt(end?.partitions[0]?.offset ?? 0) };
    for (const reading of this.#readings) {
      const position = reading.positions.get(partition);
      if (reading.topic !== topic || position === undefined || isWithin(position, range)) continue;
      this.#deps.log.warn('kafka-position-lost', {
        topic,
        partition,
        position: String(position),
        now: String(range.start),
      });
      reading.positions.set(partition, range.start);
      reading.onAdvance(partition);
    }
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    client.connection.destroy();
    await within(client.cluster.disconnect(), 1_000);
    await within(Promise.all(this.#fetching.values()), 1_000);
    this.#fetching.clear();
  }
}

function isWithin(position: bigint, { start, end }: PartitionRange): boolean {
  return position >= start && position <= end;
}

function isOffsetOutOfRange(error: unknown): error is Error & { topic: string; partition: number } {
  return error instanceof Error && error.name === 'KafkaJSOffsetOutOfRange' && 'topic' in error && 'partition' in error;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
