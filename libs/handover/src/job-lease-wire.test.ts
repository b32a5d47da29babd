import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TaskEnd, taskKinds } from '@millrace/api';
import { ManualClock } from '@millrace/clock/testing';
import { openLogger, silentLogger } from '@millrace/log';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJobLeaseClient } from './job-lease-client.ts';
import { type JobLeaseEvent, openJobLeaseServer } from './job-lease-server.ts';
import { leasesPath, maxEndBytes } from './job-lease-wire.ts';
import { eventually } from './testing/eventually.ts';
import { type HttpFront, openHttpFront } from './testing/http-front.ts';
import { aProbeResult, aProbeTask } from './testing/leased-task.ts';
import { createMemoryJobLeases } from './testing/memory-job-leases.ts';

const serviceToken = 'a-service-token-for-tests';
const asking = { worker_id: 'worker-a', slots: 1, kinds: taskKinds, wait_ms: 20_000 };

let clock: ManualClock;
let desk: ReturnType<typeof createMemoryJobLeases>;
let front: HttpFront;
let server: ReturnType<typeof openJobLeaseServer>;
let client: ReturnType<typeof openJobLeaseClient>;
let events: JobLeaseEvent[];
let lines: string[];
let listening: Promise<unknown>[];

beforeEach(async () => {
  clock = new ManualClock();
  desk = createMemoryJobLeases(clock);
  events = [];
  lines = [];
  listening = [];
  const log = openLogger({ service: 'test', level: 'info', write: (line) => void lines.push(line) });
  const onEvent = (event: JobLeaseEvent) => void events.push(event);
  server = openJobLeaseServer({ leases: desk, serviceToken, clock, log, maxRequests: 8, onEvent });
  front = await openHttpFront(server.mount);
  client = openJobLeaseClient({ baseUrl: front.baseUrl, serviceToken, clock, log });
});
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
  desk[Symbol.dispose]();
  await Promise.all(listening);
  expect(clock.pending).toBe(0);
});

const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 500) {
    await clock.advance(Math.min(left, 500));
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
};
const post = async (path: string, body: string, token = serviceToken) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${front.baseUrl}${leasesPath}${path}`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
};
/** A machine that took connections and says nothing. */
async function silentPeer() {
  const peer = createServer((_request, response) => void response.flushHeaders());
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  const { port } = peer.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    client: openJobLeaseClient({ baseUrl, serviceToken, clock, log: silentLogger }),
    async close() {
      peer.closeAllConnections();
      await new Promise((resolve) => peer.close(resolve));
    },
  };
}

describe('a lease request over HTTP', () => {
  it('is held for longer than the silence that a worker bears, by its signs of life', async () => {
    const leased = client.lease(asking, new AbortController().signal);
    await pass(12_000);
    desk.add(aProbeTask('one'));
    expect(expectOk(await leased, 'lease')).toMatchObject([{ task_id: 'one', fence: 1 }]);
  });

  it('is given up when progress has not shown a sign of life for 3.5 s, well within a lease', async () => {
    const peer = await silentPeer();
    const leased = peer.client.lease(asking, new AbortController().signal);
    await pass(4_000);
    expect(await leased).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    await peer.client[Symbol.asyncDispose]();
    await peer.close();
  });

  it('gives tasks back that its worker cannot hear of any more', async () => {
    let answer = () => {};
    const { lease } = desk;
    desk.lease = async (...args) => {
      const leased = await lease(...args);
      await new Promise<void>((resolve) => (answer = resolve));
      return leased;
    };
    desk.add(aProbeTask('one'));
    const body = JSON.stringify(asking);
    const headers = { authorization: `Bearer ${serviceToken}`, 'content-length': body.length };
    const lost = request(`${front.baseUrl}${leasesPath}`, { method: 'POST', headers });
    lost.on('error', () => {});
    lost.end(body);
    await eventually(() => desk.tasks.get('one')!.state.kind === 'leased', 'the task is leased');
    const closed = new Promise((resolve) => lost.once('close', resolve));
    lost.destroy();
    await closed;
    await pass(20);
    answer();
    await eventually(() => desk.tasks.get('one')!.state.kind === 'waiting', 'the task waits again');
    expect(events).toContain('undelivered');
    expect(desk.tasks.get('one')!.taken).toMatchObject([{ kind: 'returned', fence: 1 }]);
  });

  it('skips a task that this release cannot read, and gives the others', async () => {
    const strange = { ...aProbeTask('strange'), spec: { kind: 'of-a-later-release' } };
    desk.lease = async () => ({
      ok: true,
      value: [{ ...strange, fence: 1 } as never, { ...aProbeTask('one'), fence: 1 }],
    });
    const leased = await client.lease(asking, new AbortController().signal);
    expect(expectOk(leased, 'lease').map((task) => task.task_id)).toEqual(['one']);
    expect(lines.join()).toContain('leased-task-not-understood');
  });
});

describe('stop orders over HTTP', () => {
  const listen = (from = client, signal = new AbortController().signal) => {
    const heard: string[] = [];
    const over = (async () => {
      for await (const order of from.stops('worker-a', signal))
        heard.push(`${order.task_id}.${order.fence} ${order.reason}`);
      return 'ended';
    })().catch((error: Error) => error.message);
    listening.push(over);
    return { heard, over };
  };
  const opened = (count: number) =>
    eventually(() => events.filter((event) => event === 'stops-opened').length === count, 'open');

  it('arrive without waiting for a sign of life, and outlive hours of quiet', async () => {
    const { heard } = listen();
    await opened(1);
    await pass(20_000);
    desk.add(aProbeTask('one'));
    await client.lease(asking, new AbortController().signal);
    desk.cancel('one');
    await eventually(() => heard.length === 1, 'the order arrives');
    expect(heard).toEqual(['one.1 cancelled']);
  });

  it('break, to be asked for again, when progress is silent', async () => {
    const peer = await silentPeer();
    const { over } = listen(peer.client);
    await pass(6_000);
    expect(await over).toContain('no sign of life for 3500 ms');
    await peer.client[Symbol.asyncDispose]();
    await peer.close();
  });

  it('end for the older of two connections of one worker', async () => {
    const first = listen();
    await opened(1);
    listen();
    await opened(2);
    expect(await first.over).toBe('ended');
    expect(events.filter((event) => event === 'stops-replaced')).toHaveLength(1);
  });

  it('end when either side closes', async () => {
    const first = listen();
    await opened(1);
    await server[Symbol.asyncDispose]();
    expect(await first.over).toBe('ended');
    const second = listen();
    await client[Symbol.asyncDispose]();
    expect(await second.over).toBe('ended');
  });

  it('break when the connection is cut', async () => {
    const { over } = listen();
    await opened(1);
    front.server.closeAllConnections();
    expect(await over).not.toBe('ended');
  });
});

describe('calls over HTTP', () => {
  it('are refused without the service token, which the worker logs as an error', async () => {
    expect((await post('/reports', '{}', 'another-token-of-16')).status).toBe(401);
    const log = openLogger({ service: 'test', level: 'info', write: (line) => void lines.push(line) });
    await using stranger = openJobLeaseClient({ baseUrl: front.baseUrl, serviceToken: 'x'.repeat(16), clock, log });
    expect(await stranger.report('worker-a', [])).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    expect(lines.join()).toContain('service-token-refused');
  });

  it('are refused with what is wrong with them', async () => {
    const many = { worker_id: 'w', reports: Array.from({ length: 65 }, () => ({ task_id: 't', fence: 1 })) };
    for (const [path, body, words] of [
      ['', '{"worker_id":"w","slots":0,"kinds":["probe"],"wait_ms":0}', 'slots'],
      ['', '{"worker_id":"w","slots":1,"kinds":["cook"],"wait_ms":0}', 'kinds'],
      ['/reports', 'no JSON', 'expected JSON'],
      ['/reports', JSON.stringify(many), 'reports'],
      ['/reports', '{"worker_id":"w","reports":[{"task_id":"t","fence":1,"done":7}]}', 'done'],
      ['/ends', '{"worker_id":"w","end":{"kind":"vanished","task_id":"t","fence":1}}', 'end'],
      ['/elsewhere', '{}', 'expected POST'],
    ] as const) {
      const { status, text } = await post(path, body);
      expect([path, status, text.includes(words)]).toEqual([path, 400, true]);
    }
    const response = await fetch(`${front.baseUrl}${leasesPath}/stops`, {
      headers: { authorization: `Bearer ${serviceToken}` },
    });
    expect(response.status).toBe(400);
    await response.text();
  });

  it('have a size, which the worker knows before it sends', async () => {
    const reason = 'x'.repeat(maxEndBytes);
    const failure = { code: 'c', reason, retryable: false };
    const end: TaskEnd = { task_id: 't', fence: 1, kind: 'failed', failure };
    expect(await client.end('worker-a', end)).toMatchObject({ ok: false, error: { kind: 'refused' } });
    expect((await post('/reports', ' '.repeat(300_000))).status).toBe(413);
    expect(events).toEqual(['too-large']);
  });

  it('carry results of many thousand keyframes', async () => {
    desk.add(aProbeTask('one'));
    await client.lease(asking, new AbortController().signal);
    const keyframes_ms = Array.from({ length: 200_000 }, (_, i) => i * 2_002.5);
    const end: TaskEnd = { task_id: 'one', fence: 1, kind: 'done', result: { ...aProbeResult(), keyframes_ms } };
    expect(await client.end('worker-a', end)).toEqual({ ok: true, value: 'taken' });
    expect(desk.tasks.get('one')!.taken).toEqual([end]);
  });

  it('are turned away when too many are held', async () => {
    const giving = new AbortController();
    const held = Array.from({ length: 8 }, () => client.lease(asking, giving.signal));
    await eventually(() => lines.length === 0 && front.server.listening, 'listening');
    await pass(600);
    expect(await client.report('worker-a', [])).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    expect(events).toContain('too-many');
    giving.abort();
    await Promise.all(held);
  });

  it('are unavailable while progress is, and when it does not answer in time', async () => {
    desk.failWith({ kind: 'unavailable', message: 'PostgreSQL is away' });
    const failed = await client.report('worker-a', [{ task_id: 't', fence: 1 }]);
    expect(failed).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    const peer = await silentPeer();
    const late = peer.client.report('worker-a', [{ task_id: 't', fence: 1 }]);
    await pass(2_000);
    expect(await late).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    await peer.client[Symbol.asyncDispose]();
    await peer.close();
  });
});
