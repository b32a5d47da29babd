import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { defineTopic, hourMs } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import type { ISocketFactory } from 'kafkajs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { record } from '../new-record.ts';
import { testKafka } from '../testing.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { openKafkaEventLog } from './kafka-event-log.ts';

/** A broker that takes connections and never answers. */
async function muteBroker() {
  const taken = new Set<Socket>();
  const server = createServer((socket) => void taken.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of taken) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { port, access: { brokers: [`127.0.0.1:${port}`], topicPrefix: '', replication: 1 } };
}

/** What kafkajs asks for; without TLS it leaves out what its types want. */
const plain = (port: number) =>
  ({ host: '127.0.0.1', port, onConnect: () => {} }) as unknown as Parameters<ISocketFactory>[0];

it('a client that is destroyed while its requests hang has no socket left, and opens none', async () => {
  const { access, port } = await muteBroker();
  const connection = new KafkaConnection(access, 'test', silentLogger);
  const admin = connection.kafka.admin();
  const hanging = admin
    .connect()
    .then(() => admin.listTopics())
    .catch((error: unknown) => error);
  await vi.waitFor(() => expect(connection.openSockets).toBeGreaterThan(0));
  connection.destroy();
  expect(connection.openSockets).toBe(0);
  expect(await hanging).toBeInstanceOf(Error);
  expect(connection.openSockets).toBe(0);
  expect(() => connection.settings.socketFactory(plain(port))).toThrow(/is closed/);
});

it('a socket that is gone takes no more listeners, however often kafkajs takes leave of it', async () => {
  const { access, port } = await muteBroker();
  const connection = new KafkaConnection(access, 'test', silentLogger);
  const { socketFactory } = connection.settings;
  const socket = socketFactory(plain(port));
  socket.destroy();
  await once(socket, 'close');
  for (let n = 0; n < 12; n++) {
    socket.end();
    socket.unref();
  }
  expect(socket.listenerCount('connect')).toBeLessThan(2);
});

it('members that are closed in the middle of rebalances leave no socket open', async () => {
  const { bootstrap, topicPrefix } = await testKafka();
  const access = { brokers: bootstrap, topicPrefix, replication: 1 };
  const schema = z.object({ key: z.string() });
  const topic = defineTopic<z.infer<typeof schema>>({
    ...{ name: 'sockets.v1', kind: 'facts', schema, key: ({ key }) => key, partitions: 4, doc: 'test' },
    retentionMs: hourMs,
  });
  const open = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = open();
  const groups = { sessionTimeoutMs: 1_500, heartbeatMs: 200, rebalanceGraceMs: 500, commitIntervalMs: 50 };
  const logs = [];
  for (let n = 0; n < 3; n++) {
    const log = await openKafkaEventLog({ access, source: `test-${n}`, log: silentLogger, groups });
    logs.push(log);
    await log.publish([record(topic, { key: `${n}` })]);
    const seen = vi.fn();
    await log.consume({ group: 'sockets', topics: [topic], handler: async () => seen() });
    // The first has its partitions; each of the others makes those before it join again, and is closed meanwhile.
    if (n === 0) await vi.waitFor(() => expect(seen).toHaveBeenCalled(), { timeout: 15_000 });
  }
  expect(open()).toBeGreaterThan(before);
  await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()));
  await vi.waitFor(() => expect(open()).toBe(before), { timeout: 2_000 });
}, 40_000);
