/** Faults of members and records on the run's shared broker; those of brokers are in tools/kafka. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { deadLetterTopicOf, defineTopic, hourMs, keepForever, liveStreamsTopic, type Topic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { record } from '../new-record.ts';
import { noObserver } from '../observer.ts';
import { type TestKafka, testKafka } from '../testing.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { type KafkaEventLog, type KafkaEventLogOptions, openKafkaEventLog } from './kafka-event-log.ts';

let kafka: TestKafka;
let access: KafkaEventLogOptions['access'];
const opened: AsyncDisposable[] = [];
beforeEach(async () => {
  kafka = await testKafka();
  access = { brokers: kafka.bootstrap, topicPrefix: kafka.topicPrefix, replication: 1 };
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const schema = z.object({ key: z.string(), n: z.int(), pad: z.string().optional() });
type Note = z.infer<typeof schema>;
const noteTopic = (kind: 'facts' | 'state' = 'facts', partitions = 4): Topic<Note> =>
  defineTopic<Note>({
    ...{ name: 'faults.notes.v1', kind, schema, key: (value) => value.key, partitions, doc: 'test' },
    retentionMs: kind === 'state' ? keepForever : hourMs,
  });
const note = (topic: Topic<Note>, key: string, n: number) => record(topic, { key, n });

async function open(options: Partial<KafkaEventLogOptions> = {}): Promise<KafkaEventLog> {
  const groups = { sessionTimeoutMs: 1_500, heartbeatMs: 200, rebalanceGraceMs: 500, commitIntervalMs: 50 };
  const log = await openKafkaEventLog({ access, source: 'test', log: silentLogger, groups, ...options });
  opened.push(log);
  return log;
}

it('a member killed with -9 between handling and commit loses nothing: the next one gets those records again', async () => {
  const log = await open();
  const fact = (epoch: number) => ({
    ...{ type: 'StreamInterrupted' as const, stream_id: 'str_1', owner_id: 'own_1', publish_id: 'pub_1' },
    ...{ instance_id: 'i', epoch, at_ms: 1, reason: 'test', window_ms: 1 },
  });
  await log.publish(Array.from({ length: 30 }, (_, n) => record(liveStreamsTopic, fact(n + 1))));
  const script = new URL('./crashing-consumer.ts', import.meta.url).pathname;
  const args = ['--import', 'tsx', script, kafka.bootstrap.join(','), kafka.topicPrefix];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await vi.waitFor(() => expect(text.split('\n').length).toBeGreaterThan(15), { timeout: 30_000 });
  child.kill('SIGKILL');
  const before = text.split('\n').slice(0, -1).map(Number);
  const after: number[] = [];
  await log.consume({
    group: 'crash',
    topics: [liveStreamsTopic],
    handler: async (batch) => void after.push(...batch.records.map((one) => one.value?.epoch ?? -1)),
  });
  await vi.waitFor(() => expect(after).toContain(30), { timeout: 15_000 });
  expect(new Set([...before, ...after]).size).toBe(30);
  expect(after).toEqual([...after].sort((a, b) => a - b));
  expect(after).toContain(11); // in the batch that was handled and never committed
}, 60_000);

it('records of a foreign writer that are no JSON or do not fit are parked with their error in headers, and the next ones are handled', async () => {
  const log = await open();
  const topic = noteTopic('facts', 1);
  await log.publish([note(topic, 'a', 1)]);
  const foreign = new Kafka({ brokers: [...kafka.bootstrap], logLevel: logLevel.NOTHING });
  const producer = foreign.producer({ createPartitioner: () => () => 0 });
  await producer.connect();
  const value = ['not json', JSON.stringify({ key: 'a', n: 'not a number' })];
  const messages = value.map((one) => ({ key: 'a', value: one }));
  await producer.send({ topic: `${kafka.topicPrefix}${topic.name}`, messages });
  await producer.disconnect();
  await log.publish([note(topic, 'a', 2)]);
  const handled: (number | undefined)[] = [];
  await log.consume({
    group: 'strict',
    topics: [topic],
    handler: async (batch) => void handled.push(...batch.records.map((one) => one.value?.n)),
  });
  await vi.waitFor(() => expect(handled).toEqual([1, 2]), { timeout: 15_000 });
  const reader = foreign.consumer({ groupId: `${kafka.topicPrefix}letters` });
  // By offset: on a busy machine the group may rebalance before it has committed, and park the two again.
  const letters = new Map<string, { headers: Record<string, string>; value: unknown }>();
  await reader.connect();
  await reader.subscribe({ topic: `${kafka.topicPrefix}${deadLetterTopicOf(topic).name}`, fromBeginning: true });
  await reader.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, one]) => [name, String(one)] as const);
      const letter = { headers: Object.fromEntries(headers), value: JSON.parse(String(message.value)) as unknown };
      letters.set(letter.headers['millrace_offset'] ?? '', letter);
    },
  });
  await vi.waitFor(() => expect(letters.size).toBe(2), { timeout: 15_000 });
  await reader.disconnect();
  expect([...letters.values()].map(({ value: one }) => one)).toMatchObject([
    { offset: '1', value: 'not json' },
    { offset: '2', value: { n: 'not a number' } },
  ]);
  expect(letters.get('2')?.headers).toMatchObject({
    ...{ millrace_topic: topic.name, millrace_offset: '2', millrace_group: 'strict', ce_type: 'RecordParked' },
    millrace_error: expect.stringContaining('does not fit the schema') as string,
  });
}, 40_000);

it('while members join and leave under load nothing is lost and each key stays in order', async () => {
  let rebalances = 0;
  const metrics = { ...noObserver, rebalanced: () => void rebalances++ };
  const writer = await open();
  const topic = noteTopic('facts', 8);
  const keys = Array.from({ length: 24 }, (_, index) => `key-${index}`);
  const first = new Map<string, number[]>(keys.map((key) => [key, []]));
  const seen = new Set<string>();
  const member = async () => {
    const log = await open({ metrics });
    await log.consume({
      group: 'load',
      topics: [topic],
      maxBatchRecords: 20,
      handler: async ({ records }) => {
        for (const { key, value, id } of records) {
          if (seen.has(id)) continue; // duplicates are known by their id
          seen.add(id);
          first.get(key)?.push(value?.n ?? -1);
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      },
    });
    return log;
  };
  const members = [await member()];
  const rounds = 60;
  for (let n = 0; n < rounds; n++) {
    await writer.publish(keys.map((key) => note(topic, key, n)));
    if (n === 10 || n === 25) members.push(await member());
    if (n === 35) await members.shift()?.[Symbol.asyncDispose]();
    if (n === 45) await members.shift()?.kill();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await vi.waitFor(() => expect(seen.size).toBe(rounds * keys.length), { timeout: 20_000 });
  for (const key of keys) expect(first.get(key)).toEqual(Array.from({ length: rounds }, (_, n) => n));
  expect(rebalances).toBeGreaterThan(0);
}, 60_000);

it('a handler that is stuck stops the fetching: what waits stays at the broker, not in memory', async () => {
  const log = await open();
  const topic = noteTopic('facts', 4);
  for (let round = 0; round < 12; round++) {
    await log.publish(
      Array.from({ length: 80 }, (_, n) =>
        record(topic, { key: `k${n}`, n: round, pad: randomBytes(15_000).toString('base64') }),
      ),
    );
  }
  const before = process.memoryUsage();
  let calls = 0;
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let handled = 0;
  await log.consume({
    group: 'stuck',
    topics: [topic],
    handler: async ({ records }) => {
      calls++;
      await gate;
      handled += records.length;
    },
  });
  await vi.waitFor(() => expect(calls).toBeGreaterThan(0), { timeout: 15_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const now = process.memoryUsage();
  expect(calls).toBeLessThanOrEqual(4); // one a partition
  // 19 MB wait that no compression makes less; a fetch is at most 1 MiB, held as bytes and decoded.
  expect(now.external + now.heapUsed - before.external - before.heapUsed).toBeLessThan(12_000_000);
  release();
  await vi.waitFor(() => expect(handled).toBe(12 * 80), { timeout: 15_000 });
}, 60_000);

it('a topic that changed its partitions is refused by name, and settings that someone changed are put right', async () => {
  const log = await open();
  const topic = noteTopic('state');
  await log.publish([note(topic, 'a', 1)]);
  await using admin = new KafkaAdmin(access, 'test', silentLogger);
  const name = admin.nameOf(topic.name);
  const set = (configEntries: { name: string; value: string }[]) =>
    admin.use((client) => client.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] }));
  await set([
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'flush.messages', value: '1234' },
  ]);
  const other = await open();
  await other.publish([note(topic, 'a', 2)]);
  const { resources } = await admin.use((client) =>
    client.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] }),
  );
  const config = new Map(resources[0]?.configEntries.map((one) => [one.configName, one.configValue]));
  expect(config.get('cleanup.policy')).toBe('compact');
  expect(config.get('flush.messages')).toBe('1234'); // not ours to say
  const third = await open();
  await expect(third.publish([note({ ...topic, partitions: 5 }, 'a', 3)])).rejects.toThrow(
    /with 4 partitions, expected 5: a changed topic needs a new version/,
  );
}, 40_000);

it('the log has another identity when its topics were lost, though the cluster is the same', async () => {
  const [one, other] = [await open(), await open()];
  const [identity, same] = await Promise.all([one.identity(), other.identity()]);
  expect(same).toBe(identity);
  await using admin = new KafkaAdmin(access, 'test', silentLogger);
  await admin.use((client) => client.deleteTopics({ topics: [admin.nameOf('millrace.identity.v1')] }));
  await vi.waitFor(async () => expect(await (await open()).identity()).not.toBe(identity), { timeout: 10_000 });
}, 40_000);

it('a group opened at `latest` and closed again before anything came has kept its place', async () => {
  const log = await open();
  const topic = noteTopic('facts', 1);
  await log.publish([note(topic, 'a', 1)]);
  const first = await log.consume({ group: 'late', topics: [topic], from: 'latest', handler: async () => {} });
  await using admin = new KafkaAdmin(access, 'test', silentLogger);
  await vi.waitFor(async () => expect((await admin.committed('late', topic.name)).get(0)?.offset).toBe(1n), {
    timeout: 15_000,
  });
  await first[Symbol.asyncDispose]();
  await log.publish([note(topic, 'a', 2)]);
  const seen: (number | undefined)[] = [];
  await log.consume({
    group: 'late',
    topics: [topic],
    from: 'latest',
    handler: async ({ records }) => void seen.push(...records.map((one) => one.value?.n)),
  });
  await vi.waitFor(() => expect(seen).toEqual([2]), { timeout: 15_000 });
}, 40_000);

it('followers and tables that are opened while a partition has no leader yet are opened once it has one', async () => {
  const topic = noteTopic('state');
  await (await open()).publish([note(topic, 'a', 1)]);
  const { ranges } = KafkaAdmin.prototype;
  const refused = vi.spyOn(KafkaAdmin.prototype, 'ranges');
  const notLeader = { type: 'NOT_LEADER_OR_FOLLOWER', code: 6, retriable: true };
  let refusals = 0;
  refused.mockImplementation(function (this: KafkaAdmin, name) {
    if (++refusals > 6) return ranges.call(this, name);
    return Promise.reject(
      Object.assign(new Error('This server is not the leader for that topic-partition'), notLeader),
    );
  });
  try {
    const log = await open();
    const table = log.table(topic);
    const seen: number[] = [];
    const follower = await log.follow({
      ...{ topic, from: 'earliest' },
      onRecord: ({ value }) => void seen.push(value?.n ?? -1),
    });
    await Promise.all([follower.caughtUp, table.ready]);
    expect(refusals).toBe(8);
    expect([seen, table.get('a')?.n]).toEqual([[1], 1]);
    await log.publish([note(topic, 'a', 2)]);
    await vi.waitFor(() => expect([seen, table.get('a')?.n]).toEqual([[1, 2], 2]), { timeout: 5_000 });
  } finally {
    refused.mockRestore();
  }
}, 40_000);
