/** What happens to the log when brokers go: three real brokers with a listener for TLS and SASL each. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { type KafkaEventLogOptions, openEventLog, openKafkaEventLog, record } from '@millrace/eventlog';
import { defineTopic, keepForever } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { type Kafka, startKafka } from './kafka.ts';
import { rideThrough } from './ride-through.ts';

let kafka: Kafka;
const opened: AsyncDisposable[] = [];
beforeAll(async () => {
  kafka = await startKafka({ brokers: 3, secure: true });
}, 120_000);
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
afterAll(() => kafka[Symbol.asyncDispose]());

async function open(options: Partial<KafkaEventLogOptions> = {}) {
  const access = { brokers: kafka.bootstrap, topicPrefix: '', replication: 3 };
  const groups = { sessionTimeoutMs: 3_000, heartbeatMs: 300 };
  const log = await openKafkaEventLog({ access, source: 'test', log: silentLogger, groups, ...options });
  opened.push(log);
  return log;
}

it('signs in by SASL over TLS with the brokers’ authority, and not with a wrong password or an unknown authority', async () => {
  const secure = kafka.secure;
  if (secure === undefined) throw new Error('expected a secure listener');
  const settings = {
    ...{ KAFKA_BROKERS: secure.bootstrap, KAFKA_TOPIC_PREFIX: 'secure.', KAFKA_REPLICATION: 3, KAFKA_TLS: true },
    ...{ KAFKA_TLS_CA_FILE: secure.caFile, KAFKA_TLS_CERT_FILE: undefined, KAFKA_TLS_KEY_FILE: undefined },
    ...{ KAFKA_SASL_USERNAME: secure.username, KAFKA_SASL_PASSWORD: secure.password },
  };
  const schema = z.object({ key: z.string(), n: z.int() });
  const topic = defineTopic<z.infer<typeof schema>>({
    ...{ name: 'signed-in.v1', kind: 'state', schema, key: (value) => value.key, partitions: 3, doc: 'test' },
    retentionMs: keepForever,
  });
  for (const [n, mechanism] of (['plain', 'scram-sha-256', 'scram-sha-512'] as const).entries()) {
    const log = await openEventLog({
      settings: { ...settings, KAFKA_SASL_MECHANISM: mechanism },
      ...{ source: 'test', log: silentLogger, clock: systemClock },
    });
    await log.publish([record(topic, { key: mechanism, n })]);
    const table = log.table(topic);
    await table.ready;
    expect(table.get(mechanism)?.n).toBe(n);
    await log[Symbol.asyncDispose]();
  }
  const place = { brokers: secure.bootstrap, topicPrefix: 'secure.', replication: 3 };
  const sasl = { mechanism: 'plain' as const, username: secure.username, password: 'wrong' };
  const wrong = await open({ access: { ...place, sasl, ssl: { rejectUnauthorized: false } }, publishTimeoutMs: 1_000 });
  await expect(wrong.publish([record(topic, { key: 'x', n: 1 })])).rejects.toThrow(/[Aa]uthentication/);
  const unknown = await open({ access: { ...place, ssl: {} }, publishTimeoutMs: 1_000 });
  await expect(unknown.publish([record(topic, { key: 'x', n: 1 })])).rejects.toThrow(/certificate|Connection/);
}, 60_000);

it('with one of three brokers killed and restarted nothing acknowledged is lost and keys stay in order', async () => {
  const result = await rideThrough(await open(), async ({ goesOn }) => {
    await goesOn('at first');
    await kafka.broker(1).kill();
    await goesOn('with a broker killed');
    await kafka.broker(1).start();
    await goesOn('with it back');
  });
  expect(result.wrong).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(60);
}, 150_000);

it('a killed owner leaves no broker behind', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-orphan-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  writeFileSync(join(dataDir, 'meta.properties'), ''); // so that it skips the formatting, and starts the broker itself
  const script = `
    const at = (name) => new URL(name, ${JSON.stringify(import.meta.url)}).href;
    const { BrokerProcess } = await import(at('./broker.ts'));
    const { kafkaJarsFolder } = await import(at('../setup/kafka.mjs'));
    const plan = { id: 1, dataDir: ${JSON.stringify(dataDir)}, port: 1, controllerPort: 2, controllers: new Map([[1, 2]]), settings: {} };
    const broker = new BrokerProcess(plan, { jars: kafkaJarsFolder(), clusterId: 'x', log: { debug() {}, error() {} } });
    broker.start().catch(() => {});
    while (broker.pid === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    process.stdout.write(broker.pid + '\\n');`;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) =>
    owner.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))),
  );
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, 0);
  owner.kill('SIGKILL');
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), { timeout: 5_000 });
}, 60_000);
