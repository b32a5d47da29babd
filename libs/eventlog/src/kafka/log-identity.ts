/**
 * Names the log's history. The cluster's own id is not enough: topics can be lost or deleted while it stays. So a topic of one
 * partition that keeps its first record for ever holds a random id, written by whoever finds it empty; of two who write at once,
 * the record with the lower offset counts for all.
 */
import { randomUUID } from 'node:crypto';
import { sleep } from '@millrace/clock';
import { type KafkaAccess, KafkaConnection, within } from './kafka-connection.ts';
import type { FollowerDeps } from './kafka-follower.ts';
import { encodeMessage } from './message-codec.ts';

const identityTopic = 'millrace.identity.v1';
const readDeadlineMs = 10_000;

export class LogIdentity {
  readonly #deps: FollowerDeps & { readonly access: KafkaAccess };

  constructor(deps: FollowerDeps & { readonly access: KafkaAccess }) {
    this.#deps = deps;
  }

  /** `<cluster id>.<id of this history>`. Rejects when the brokers cannot be reached now. */
  async read(): Promise<string> {
    const { admin } = this.#deps;
    const name = admin.nameOf(identityTopic);
    await admin.ensure([
      { name, partitions: 1, config: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' } },
    ]);
    const [range] = await admin.ranges(identityTopic);
    if ((range?.end ?? 0n) === 0n) await this.#write(name);
    return `${await admin.clusterId()}.${await this.#first(name, range?.start ?? 0n)}`;
  }

  async #write(name: string): Promise<void> {
    const { access, log, clock } = this.#deps;
    const connection = new KafkaConnection(access, 'identity', log);
    const producer = connection.kafka.producer({ allowAutoTopicCreation: false, createPartitioner: () => () => 0 });
    try {
      await producer.connect();
      const nowMs = clock.nowMs();
      const attributes = { topic: name, partition: 0, source: 'millrace', type: 'LogBegan', timeMs: nowMs };
      const record = { ...attributes, key: 'log', id: randomUUID(), value: JSON.stringify({ id: randomUUID() }) };
      await producer.send({ topic: name, acks: -1, messages: [encodeMessage(record, nowMs)] });
    } finally {
      await within(producer.disconnect(), 1_000);
      connection.destroy();
    }
  }

  async #first(topic: string, start: bigint): Promise<string> {
    const { reader, clock } = this.#deps;
    const found = new AbortController();
    let id: string | undefined;
    const stop = reader.add({
      ...{ topic, positions: new Map([[0, start]]) },
      onMessages: (_, [message]) => {
        id ??= idOf(message?.value);
        found.abort();
      },
      onAdvance: () => {},
    });
    await sleep(clock, readDeadlineMs, found.signal);
    stop();
    if (id === undefined) throw new Error(`expected the log's identity in ${topic}, read nothing`);
    return id;
  }
}

function idOf(value: Buffer | null | undefined): string {
  const parsed: unknown = JSON.parse(value?.toString() ?? 'null');
  if (typeof parsed === 'object' && parsed !== null && 'id' in parsed && typeof parsed.id === 'string')
    return parsed.id;
  throw new Error('the identity topic holds something else than an identity');
}
