/**
 * One life of a kafkajs consumer: from joining the group until it crashes or is closed. Offsets are ours alone (no automatic
 * commit or resolve); a batch is awaited inside `eachBatch`, so that kafkajs waits for handlers before it joins again, with
 * heartbeats meanwhile.
 */
import { sleep } from '@millrace/clock';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { ConsumerGroupJoinEvent, EachBatchPayload, Consumer as KafkaConsumer } from 'kafkajs';
import type { ConsumeOptions } from '../event-log.ts';
import { Wakeup } from '../wakeup.ts';
import { AssignedPartition } from './assigned-partition.ts';
import { recordsFrom } from './batch-floor.ts';
import { clientRetry, KafkaConnection, within } from './kafka-connection.ts';
import { decodeMessage } from './message-codec.ts';
import type { SessionDeps } from './session-deps.ts';

type Commit = (offsets: {
  topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
}) => Promise<void>;

const maxWaitMs = 200;
const maxBytesPerPartition = 262_144;
/**
 * A fetch is handled before the next begins, so this bounds what a slow handler leaves in memory. As it comes, that is
 * compressed: JSON is some ten times as long.
 */
const maxBytesPerFetch = 1_048_576;
const maxConcurrentPartitions = 64;

export class GroupSession implements AsyncDisposable {
  /** Settles with the reason when the consumer has crashed. */
  readonly crashed: Promise<unknown>;
  readonly #deps: SessionDeps;
  readonly #options: ConsumeOptions<unknown>;
  readonly #connection: KafkaConnection;
  readonly #consumer: KafkaConsumer;
  readonly #abort = new AbortController();
  readonly #progress = new Wakeup();
  readonly #committing: Background;
  /** What the group gave out last; undefined until the positions are known. */
  #assigned: Promise<ReadonlyMap<string, AssignedPartition>> = Promise.resolve(new Map());
  #partitions: ReadonlyMap<string, AssignedPartition> = new Map();
  #joins = 0;
  #rebalancing: Error | undefined;
  /** Until the first batch comes: what kafkajs offers outside of one. */
  #commitNow: Commit | undefined = ({ topics }) =>
    this.#consumer.commitOffsets(
      topics.flatMap(({ topic, partitions }) => partitions.map((one) => ({ topic, ...one }))),
    );

  constructor(deps: SessionDeps, options: ConsumeOptions<unknown>) {
    this.#deps = deps;
    this.#options = options;
    const { sessionTimeoutMs, heartbeatMs } = deps.timing;
    // A connection and a kafkajs client of its own: members of one group in one client would share its cache of offsets.
    this.#connection = new KafkaConnection(deps.access, deps.clientId, deps.log);
    this.#consumer = this.#connection.kafka.consumer({
      groupId: deps.admin.nameOf(options.group),
      ...{ sessionTimeout: sessionTimeoutMs, heartbeatInterval: heartbeatMs, rebalanceTimeout: 60_000 },
      ...{ maxWaitTimeInMs: maxWaitMs, minBytes: 1, maxBytes: maxBytesPerFetch, maxBytesPerPartition },
      ...{ allowAutoTopicCreation: false, metadataMaxAge: 60_000 },
      // A crash ends this session: kafkajs's own restart is known to stay away (kafkajs#1441) or to crash again (#558).
      retry: { ...clientRetry, restartOnFailure: () => Promise.resolve(false) },
    });
    this.crashed = new Promise((resolve) => {
      this.#consumer.on('consumer.crash', ({ payload }) => resolve(payload.error));
    });
    this.#consumer.on('consumer.group_join', (event) => this.#joined(event));
    this.#consumer.on('consumer.rebalancing', () => this.#abortAll());
    this.#committing = new Background(
      (signal) => this.#commitLoop(signal),
      (error) => deps.log.error('kafka-commit-loop-crashed', { group: options.group, error }),
    );
  }

  get partitions(): Iterable<AssignedPartition> {
    return this.#partitions.values();
  }

  async start(): Promise<void> {
    const { admin } = this.#deps;
    await admin.ensureTopics(this.#options.topics);
    await this.#consumer.connect();
    const topics = this.#options.topics.map((topic) => admin.nameOf(topic.name));
    await this.#consumer.subscribe({ topics, fromBeginning: this.#options.from !== 'latest' });
    const count = this.#options.topics.reduce((sum, topic) => sum + topic.partitions, 0);
    await this.#consumer.run({
      ...{ autoCommit: false, eachBatchAutoResolve: false },
      partitionsConsumedConcurrently: Math.min(maxConcurrentPartitions, count),
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  /** Stops or resumes fetching of all that is held. */
  setPaused(paused: boolean): void {
    this.#setFetching([...this.#partitions.values()], !paused);
    if (!paused) for (const partition of this.#partitions.values()) partition.wake();
  }

  /** Waits for running handlers, commits and leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#abortAll();
    await this.#committing[Symbol.asyncDispose]();
    await Promise.all([...this.#partitions.values()].map(({ idle }) => idle));
    await this.#commit().catch((error: unknown) =>
      this.#deps.log.warn('log-commit-failed', { group: this.#options.group, error }),
    );
    await within(this.#consumer.disconnect(), 5_000);
    this.#connection.destroy();
  }

  /** As kill -9 would: connections end at once, nothing is committed, the group is not left. For tests. */
  async kill(): Promise<void> {
    this.#abort.abort();
    this.#connection.destroy();
    this.#commitNow = undefined;
    this.#abortAll();
    await this.#committing[Symbol.asyncDispose]();
    await within(this.#consumer.disconnect(), 200);
  }

  #abortAll(): void {
    for (const partition of this.#partitions.values()) partition.abort();
  }

  /** After each join kafkajs reads on from the commits: what was read and not committed is dropped here, too. */
  #joined({ payload }: ConsumerGroupJoinEvent): void {
    this.#abortAll();
    this.#rebalancing = undefined;
    this.#joins++;
    if (this.#joins > 1) this.#deps.observer.rebalanced(this.#options.group);
    this.#assigned = this.#assign(payload.memberAssignment, this.#joins, this.#partitions);
    this.#assigned.catch(() => {}); // eachBatch awaits it and passes the error on
  }

  async #assign(
    assignment: Record<string, number[]>,
    join: number,
    before: ReadonlyMap<string, AssignedPartition>,
  ): Promise<ReadonlyMap<string, AssignedPartition>> {
    const { admin, clock, log, random } = this.#deps;
    for (let failures = 0; ; failures++) {
      try {
        const partitions = new Map<string, AssignedPartition>();
        for (const topic of this.#options.topics) {
          const name = admin.nameOf(topic.name);
          const held = assignment[name] ?? [];
          if (held.length === 0) continue;
          const [commits, ranges] = await Promise.all([
            admin.committed(this.#options.group, topic.name),
            admin.ranges(topic.name),
          ]);
          for (const partition of held) {
            const { start = 0n, end = 0n } = ranges[partition] ?? {};
            const from = commits.get(partition) ?? { offset: undefined, metadata: '' };
            const id = `${name}/${partition}`;
            const place = { partition, from, end, start: this.#options.from === 'latest' ? end : start };
            const after = before.get(id)?.idle ?? Promise.resolve();
            const assigned = new AssignedPartition(this.#partitionDeps(), this.#options, topic, { ...place, after });
            partitions.set(id, assigned);
            if (from.offset !== undefined || this.#options.from !== 'latest') continue;
            // `latest` is where the group was first opened, also when it is opened again before it handled anything.
            if (join === this.#joins) this.#consumer.seek({ topic: name, partition, offset: end.toString() });
            assigned.beginAt(end);
          }
        }
        if (join !== this.#joins) return partitions; // overtaken by another assignment
        this.#partitions = partitions;
        if (this.#deps.paused()) this.setPaused(true);
        this.#progress.ring();
        return partitions;
      } catch (error) {
        if (this.#abort.signal.aborted || join !== this.#joins || failures > 5) throw error;
        log.debug('kafka-positions-unknown', { group: this.#options.group, error });
        await sleep(clock, backoffMs(failures, 50, 1_000, random()), this.#abort.signal);
      }
    }
  }

  #partitionDeps() {
    return {
      ...this.#deps,
      onProgress: () => this.#progress.ring(),
      setFetching: (partition: AssignedPartition, fetching: boolean) => {
        if (!this.#deps.paused()) this.#setFetching([partition], fetching);
      },
      commit: async (partition: AssignedPartition, offset: bigint, metadata: string) => {
        if (this.#commitNow === undefined || partition.signal.aborted) {
          throw new Error(`${partition.topic}/${partition.partition} was lost: commit refused`);
        }
        await this.#commitNow({ topics: [this.#position(partition, offset, metadata)] });
      },
    };
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset } = payload;
    // Not consumer.commitOffsets: that one answers as if all were well when the consumer is not running.
    this.#commitNow = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    const beating = this.#beat(payload);
    try {
      const partition = (await this.#assigned).get(`${batch.topic}/${batch.partition}`);
      // A batch that is not resolved is fetched again, after the pause.
      if (partition === undefined || partition.signal.aborted || this.#deps.paused()) return;
      const wanted = recordsFrom(batch, partition.position, () => this.#shorter(batch, partition));
      const stored = wanted.map((message) => decodeMessage(partition.topic, partition.partition, message));
      await partition.take(stored, BigInt(batch.highWatermark), () => this.#rebalancing === undefined);
      if (partition.signal.aborted) return;
      const handled = wanted.length === 0 || partition.position > BigInt(wanted.at(-1)?.offset ?? 0);
      if (handled) resolveOffset(batch.lastOffset());
      else if (partition.position > BigInt(wanted[0]?.offset ?? 0)) resolveOffset(String(partition.position - 1n));
    } finally {
      await beating.stop();
    }
    if (this.#rebalancing === undefined) return;
    await this.#commit().catch(() => {}); // what is not committed is delivered again
    throw this.#rebalancing;
  }

  #shorter({ topic, partition, highWatermark }: EachBatchPayload['batch'], { position }: AssignedPartition): void {
    const where = { group: this.#options.group, topic, partition };
    this.#deps.log.error('kafka-log-shorter', { ...where, committed: String(position), end: highWatermark });
  }

  /** Heartbeats while a batch is handled. A rebalance ends the batch early, and after a grace its handler's signal aborts. */
  #beat({ heartbeat }: EachBatchPayload): { stop(): Promise<void> } {
    const { clock, timing } = this.#deps;
    let running: Promise<void> | undefined;
    const timer = clock.every(Math.max(50, timing.heartbeatMs / 2), () => {
      if (running !== undefined || this.#rebalancing !== undefined) return;
      running = heartbeat()
        .catch((error: Error) => {
          if (this.#rebalancing !== undefined) return;
          this.#rebalancing = error;
          const join = this.#joins;
          clock.after(timing.rebalanceGraceMs, () => {
            if (join === this.#joins) this.#abortAll();
          });
        })
        .finally(() => {
          running = undefined;
        });
    });
    return {
      stop: async () => {
        timer.cancel();
        await running;
      },
    };
  }

  async #commitLoop(signal: AbortSignal): Promise<void> {
    const { clock, timing, log } = this.#deps;
    while (!signal.aborted) {
      await this.#progress.wait(signal);
      if (signal.aborted) return;
      try {
        await this.#commit();
      } catch (error) {
        log.debug('log-commit-failed', { group: this.#options.group, error });
        this.#progress.ring();
        await sleep(clock, 500, signal);
      }
      await sleep(clock, timing.commitIntervalMs, signal);
    }
  }

  async #commit(): Promise<void> {
    const positions: { partition: AssignedPartition; offset: bigint }[] = [];
    for (const partition of this.#partitions.values()) {
      const offset = partition.uncommitted;
      if (offset !== undefined) positions.push({ partition, offset });
    }
    if (positions.length === 0 || this.#commitNow === undefined) return;
    await this.#commitNow({ topics: positions.map(({ partition, offset }) => this.#position(partition, offset, '')) });
    for (const { partition, offset } of positions) partition.committedTo(offset);
  }

  #position({ topic, partition }: AssignedPartition, offset: bigint, metadata: string) {
    return {
      topic: this.#deps.admin.nameOf(topic),
      partitions: [{ partition, offset: offset.toString(), metadata }],
    };
  }

  #setFetching(partitions: readonly AssignedPartition[], fetching: boolean): void {
    if (this.#abort.signal.aborted || partitions.length === 0) return;
    const places = partitions.map(({ topic, partition }) => ({
      topic: this.#deps.admin.nameOf(topic),
      partitions: [partition],
    }));
    try {
      if (fetching) this.#consumer.resume(places);
      else this.#consumer.pause(places);
    } catch (error) {
      this.#deps.log.debug('kafka-pause-failed', { group: this.#options.group, error }); // between two consumers
    }
  }
}
