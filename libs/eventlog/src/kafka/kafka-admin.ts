/** The administrative client: topics set up as code, offsets looked up. Built anew after a failure. */
import type { Logger } from '@millrace/log';
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import type { PartitionRange } from '../log-store.ts';
import { type KafkaAccess, KafkaConnection, within } from './kafka-connection.ts';
import { type TopicSettings, type TopicShape, topicSettings } from './topic-settings.ts';

export interface CommittedOffset {
  /** Undefined: the group never committed here. */
  readonly offset: bigint | undefined;
  readonly metadata: string;
}

export class KafkaAdmin implements AsyncDisposable {
  readonly #access: KafkaAccess;
  readonly #log: Logger;
  readonly #clientId: string;
  readonly #ensured = new Map<string, Promise<void>>();
  #client: { readonly admin: Promise<Admin>; readonly connection: KafkaConnection } | undefined;
  #closed = false;

  constructor(access: KafkaAccess, clientId: string, log: Logger) {
    this.#access = access;
    this.#clientId = `${clientId}-admin`;
    this.#log = log;
  }

  /** A topic's name at the brokers. */
  nameOf(topic: string): string {
    return `${this.#access.topicPrefix}${topic}`;
  }

  /** Creates topics that are not there and puts right the settings of those that are. Rejects on another number of partitions. */
  async ensureTopics(topics: readonly TopicShape[]): Promise<void> {
    const fresh = topics.filter((topic, index) => !this.#ensured.has(topic.name) && topics.indexOf(topic) === index);
    if (fresh.length > 0) {
      const work = this.ensure(fresh.map((topic) => ({ ...topicSettings(topic), name: this.nameOf(topic.name) })));
      for (const topic of fresh) {
        this.#ensured.set(topic.name, work);
        work.catch(() => this.#ensured.delete(topic.name)); // tried again at the next use
      }
    }
    await Promise.all(topics.flatMap((topic) => this.#ensured.get(topic.name) ?? []));
  }

  /** The same for topics by their names at the brokers. */
  async ensure(wanted: readonly TopicSettings[]): Promise<void> {
    await this.use(async (admin) => {
      const { brokers } = await admin.describeCluster();
      const replicas = Math.min(brokers.length, this.#access.replication);
      const existing = new Set(await admin.listTopics());
      const missing = wanted.filter(({ name }) => !existing.has(name));
      if (missing.length > 0) {
        // Another process may be faster: kafkajs answers false then.
        await admin.createTopics({
          waitForLeaders: false, // kafkajs gives up when a broker has not heard of the topic yet; see metadataOf
          topics: missing.map(({ name, partitions, config }) => ({
            ...{ topic: name, numPartitions: partitions, replicationFactor: replicas },
            configEntries: Object.entries(withReplicas(config, replicas)).map(([key, value]) => ({ name: key, value })),
          })),
        });
        for (const { name, partitions } of missing) this.#log.info('kafka-topic-created', { topic: name, partitions });
      }
      const names = wanted.map(({ name }) => name);
      for (const { name, partitions } of await metadataOf(admin, names)) {
        const expected = wanted.find((one) => one.name === name)?.partitions;
        if (partitions.length !== expected) {
          throw new Error(
            `topic ${name} is in the log with ${partitions.length} partitions, expected ${expected}: ` +
              'a changed topic needs a new version in its name',
          );
        }
      }
      const before = wanted.filter(({ name }) => existing.has(name));
      if (before.length > 0) await this.#correct(admin, before, replicas);
    });
  }

  /** The range of every partition, by partition. */
  async ranges(topic: string): Promise<readonly PartitionRange[]> {
    const offsets = await this.use((admin) => admin.fetchTopicOffsets(this.nameOf(topic)));
    return [...offsets]
      .sort((a, b) => a.partition - b.partition)
      .map(({ low, high }) => ({ start: BigInt(low), end: BigInt(high) }));
  }

  /** A group's commits in a topic, by partition. */
  async committed(group: string, topic: string): Promise<ReadonlyMap<number, CommittedOffset>> {
    const groupId = this.nameOf(group);
    const [found] = await this.use((admin) => admin.fetchOffsets({ groupId, topics: [this.nameOf(topic)] }));
    return new Map(
      (found?.partitions ?? []).map(({ partition, offset, metadata }) => [
        partition,
        { offset: Number(offset) < 0 ? undefined : BigInt(offset), metadata: metadata ?? '' },
      ]),
    );
  }

  /** Names the cluster: changes when its storage is formatted anew. */
  clusterId(): Promise<string> {
    return this.use(async (admin) => (await admin.describeCluster()).clusterId);
  }

  /** Runs `work` on a connected client. After an error the next call gets a new one: its metadata may be poisoned. */
  async use<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the log is closed');
    this.#client ??= this.#open();
    const client = this.#client;
    try {
      return await work(await client.admin);
    } catch (error) {
      if (this.#client === client) this.#client = undefined;
      client.connection.destroy();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    await within(
      client.admin.then((admin) => admin.disconnect()),
      2_000,
    );
    client.connection.destroy();
  }

  #open() {
    const connection = new KafkaConnection(this.#access, this.#clientId, this.#log);
    const admin = connection.kafka.admin();
    return { connection, admin: admin.connect().then(() => admin) };
  }

  /** An AlterConfigs request replaces every setting of a topic, so those that others have set are sent along. */
  async #correct(admin: Admin, topics: readonly TopicSettings[], replicas: number): Promise<void> {
    // Node does not see this one among the names that the package exports.
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map(({ name }) => ({ type, name })),
    });
    for (const { name, config: wanted } of topics) {
      const entries = resources.find((one) => one.resourceName === name)?.configEntries ?? [];
      const now = new Map(entries.map((entry) => [entry.configName, entry.configValue]));
      // Replicas cannot be changed here, so neither can what depends on them.
      const { 'min.insync.replicas': _, ...ours } = withReplicas(wanted, replicas);
      const wrong = Object.entries(ours).filter(([key, value]) => now.get(key) !== value);
      if (wrong.length === 0) continue;
      const dynamicTopicConfig = 1; // DescribeConfigs' config_source of a value set on the topic itself
      const kept = entries.filter((entry) => Number(entry.configSource) === dynamicTopicConfig);
      const merged = new Map([
        ...kept.map((entry) => [entry.configName, entry.configValue] as const),
        ...Object.entries(ours),
      ]);
      const configEntries = [...merged].map(([key, value]) => ({ name: key, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] });
      this.#log.warn('kafka-topic-corrected', { topic: name, settings: wrong.map(([key]) => key) });
    }
  }
}

/** The topics' partitions, once each has a leader: brokers hear of a new topic one after the other. */
async function metadataOf(admin: Admin, names: string[]): Promise<readonly ITopicMetadata[]> {
  for (let tries = 1; ; tries++) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: names });
      if (topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return topics;
      if (tries > maxMetadataTries) throw new Error(`no leader for each partition of ${names.join(', ')}`);
    } catch (error) {
      const type = error instanceof Error && 'type' in error ? error.type : undefined;
      const young = type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'LEADER_NOT_AVAILABLE';
      if (!young || tries > maxMetadataTries) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const maxMetadataTries = 100;

function withReplicas(config: Readonly<Record<string, string>>, replicas: number): Readonly<Record<string, string>> {
  return { ...config, 'min.insync.replicas': replicas >= 3 ? '2' : '1' };
}
