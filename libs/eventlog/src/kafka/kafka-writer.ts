/**
 * The producer: idempotent, acknowledged by all in-sync replicas, one request at a time. While one is on its way, what comes
 * meanwhile gathers and goes with the next, in the order of the calls. Bounded: beyond it a call is refused, so that an outage
 * cannot fill the memory.
 */
import { type Clock, sleep } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { CompressionTypes, type Producer, type TopicMessages } from 'kafkajs';
import type { LogObserver } from '../observer.ts';
import type { EncodedRecord } from '../record-codec.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import { clientRetry, type KafkaAccess, KafkaConnection, within } from './kafka-connection.ts';
import { encodeMessage } from './message-codec.ts';
import type { TopicShape } from './topic-settings.ts';

export interface KafkaWriterDeps {
  readonly access: KafkaAccess;
  readonly admin: KafkaAdmin;
  readonly clientId: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer: LogObserver;
  readonly random: () => number;
  /** Time for one send, its retries and new clients included, ms; then the publish rejects. */
  readonly publishTimeoutMs: number;
}

interface Pending {
  readonly topics: readonly TopicShape[];
  readonly records: readonly EncodedRecord[];
  /** Records of it that were sent. */
  sent: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const maxPendingLength = 16_000_000;
/** All records of a partition in one send are one batch to the broker: at most this many characters together. */
const maxSendLength = 1_000_000;
const maxSendRecords = 5_000;
/** Smaller sends gain nothing from gzip. */
const compressFromLength = 16_384;

/** The log's queue is full: the brokers are away or too slow. */
class PublishQueueFullError extends Error {
  readonly retryable = true;
}

export class KafkaWriter implements AsyncDisposable {
  readonly #deps: KafkaWriterDeps;
  readonly #pending: Pending[] = [];
  readonly #abort = new AbortController();
  #pendingLength = 0;
  #sending: Promise<void> | undefined;
  #client:
    | { readonly producer: Producer; readonly connected: Promise<void>; readonly connection: KafkaConnection }
    | undefined;

  constructor(deps: KafkaWriterDeps) {
    this.#deps = deps;
  }

  write(topics: readonly TopicShape[], records: readonly EncodedRecord[]): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.reject(new Error('the log is closed'));
    if (this.#pendingLength > maxPendingLength) {
      return Promise.reject(
        new PublishQueueFullError(`${this.#pendingLength} characters wait for the brokers: they do not keep up`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ topics, records, sent: 0, resolve, reject });
      this.#pendingLength += lengthOf(records);
      this.#sending ??= this.#run();
    });
  }

  /** Waits for what is on its way, as long as a send may take. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sending !== undefined) await within(this.#sending, this.#deps.publishTimeoutMs);
    this.#abort.abort();
    for (const one of this.#pending.splice(0)) one.reject(new Error('the log was closed before the brokers answered'));
    await this.#drop(true);
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // calls of the same turn go together
    while (this.#pending.length > 0) {
      const { records, parts } = this.#gather();
      try {
        await this.#deps.admin.ensureTopics(parts.flatMap(({ pending }) => (pending.sent === 0 ? pending.topics : [])));
        await this.#send(records);
        for (const { pending, count } of parts) this.#done(pending, count);
      } catch (error) {
        for (const { pending } of parts) {
          this.#remove(pending);
          pending.reject(error);
        }
      }
    }
    this.#sending = undefined;
  }

  #gather(): { records: EncodedRecord[]; parts: { pending: Pending; count: number }[] } {
    const records: EncodedRecord[] = [];
    const parts: { pending: Pending; count: number }[] = [];
    let length = 0;
    for (const pending of this.#pending) {
      let count = 0;
      for (let index = pending.sent; index < pending.records.length; index++) {
        const record = pending.records[index];
        if (record === undefined) break;
        length += (record.value?.length ?? 0) + 200;
        if (records.length > 0 && (length > maxSendLength || records.length >= maxSendRecords)) break;
        records.push(record);
        count++;
      }
      if (count > 0) parts.push({ pending, count });
      if (pending.sent + count < pending.records.length) break;
    }
    return { records, parts };
  }

  #done(pending: Pending, count: number): void {
    pending.sent += count;
    if (pending.sent < pending.records.length) return;
    this.#remove(pending);
    pending.resolve();
  }

  #remove(pending: Pending): void {
    const index = this.#pending.indexOf(pending);
    if (index >= 0) this.#pending.splice(index, 1);
    this.#pendingLength -= lengthOf(pending.records);
  }

  /** Sends until it is acknowledged or the time is up. Readers know records that arrive twice by their ids. */
  async #send(records: readonly EncodedRecord[]): Promise<void> {
    const { clock, log, observer, random, publishTimeoutMs } = this.#deps;
    const started = clock.monotonicMs();
    const { messages, length } = this.#messages(records);
    const compression = length >= compressFromLength ? CompressionTypes.GZIP : CompressionTypes.None;
    for (let failures = 0; ; failures++) {
      try {
        const leftMs = publishTimeoutMs - (clock.monotonicMs() - started);
        await beforeDeadline(this.#sendOnce(messages, compression), Math.max(1, leftMs));
        break;
      } catch (error) {
        // A producer that failed is not used again: after a reconnect its sequence numbers may be out of order for ever
        // (kafkajs#598), and it may be stuck (kafkajs#1416). The new one is another to the broker.
        await this.#drop(false);
        const leftMs = publishTimeoutMs - (clock.monotonicMs() - started);
        if (isRefusal(error) || leftMs <= 0 || this.#abort.signal.aborted) throw error;
        log[failures === 0 ? 'warn' : 'debug']('kafka-publish-failed', { error, failures });
        observer.clientRebuilt('producer');
        await sleep(clock, Math.min(leftMs, backoffMs(failures, 100, 2_000, random())), this.#abort.signal);
      }
    }
    observer.published(records.length, (clock.monotonicMs() - started) / 1_000);
    const counts = new Map<string, number>();
    for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
    for (const [topic, count] of counts) observer.appended(topic, count);
  }

  #messages(records: readonly EncodedRecord[]): { messages: TopicMessages[]; length: number } {
    const byTopic = new Map<string, TopicMessages>();
    const nowMs = this.#deps.clock.nowMs();
    let length = 0;
    for (const record of records) {
      const topic = this.#deps.admin.nameOf(record.topic);
      let group = byTopic.get(topic);
      if (group === undefined) byTopic.set(topic, (group = { topic, messages: [] }));
      group.messages.push(encodeMessage(record, nowMs));
      length += record.value?.length ?? 0;
    }
    return { messages: [...byTopic.values()], length };
  }

  async #sendOnce(topicMessages: TopicMessages[], compression: CompressionTypes): Promise<void> {
    this.#client ??= this.#open();
    const { connected, producer } = this.#client;
    await connected;
    const answers = await producer.sendBatch({ acks: -1, compression, topicMessages });
    // When a leader dies, kafkajs's retry leaves out what has moved to a broker that had answered before, and resolves all the
    // same (kafkajs#1303, sendMessages.js `brokersWithoutResponse`): records acknowledged and lost. So each partition has to have answered.
    const answered = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
    for (const { topic, messages } of topicMessages) {
      const silent = messages.find(({ partition }) => !answered.has(`${topic}/${partition}`));
      if (silent) throw new Error(`no broker answered for ${topic}/${silent.partition}: its leader has moved`);
    }
  }

  #open() {
    const connection = new KafkaConnection(this.#deps.access, this.#deps.clientId, this.#deps.log);
    const producer = connection.kafka.producer({
      // More than one request in flight may be reordered by kafkajs's retries, even with idempotence.
      ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, metadataMaxAge: 60_000 },
      createPartitioner: () => (given) => given.message.partition ?? 0,
      // As few as it permits: what fails is sent again as a whole, by a new producer.
      retry: { ...clientRetry, retries: 1 },
    });
    return { producer, connected: producer.connect(), connection };
  }

  async #drop(graceful: boolean): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    if (graceful) await within(client.producer.disconnect(), 2_000);
    client.connection.destroy();
    if (!graceful) await within(client.producer.disconnect(), 200);
  }
}

/** Rejects when `work` takes longer. What it sends is given up with its connection, so that nothing of it comes later. */
async function beforeDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no broker acknowledged within ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // it fails later, when its connection is closed
  }
}

/** Errors that no retry mends: the record or the right to write it is wrong. */
function isRefusal(error: unknown): boolean {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  const refusals = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'];
  return typeof type === 'string' && (refusals.includes(type) || type.endsWith('_AUTHORIZATION_FAILED'));
}

function lengthOf(records: readonly EncodedRecord[]): number {
  let length = 0;
  for (const record of records) length += record.value?.length ?? 0;
  return length;
}
