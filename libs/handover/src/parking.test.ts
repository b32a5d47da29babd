import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ManualClock } from '@millrace/clock/testing';
import { type Logger, silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSourceClaimServer, type SourceClaimEvent } from './source-claim-server.ts';
import { openSourceDeskClient } from './source-desk-client.ts';
import { anAssignment } from './testing/assignment.ts';
import { eventually } from './testing/eventually.ts';
import { type HttpFront, openHttpFront } from './testing/http-front.ts';
import { createRecordingWorker } from './testing/recording-worker.ts';

const serviceToken = 'a-service-token-for-tests';

describe('parking at an ingest', () => {
  const clock = new ManualClock();
  let workers: ReturnType<typeof openSourceClaimServer>;
  let front: HttpFront;
  let events: SourceClaimEvent[];
  let sockets: Socket[];
  beforeEach(async () => {
    events = [];
    sockets = [];
    const onEvent = (event: SourceClaimEvent) => void events.push(event);
    workers = openSourceClaimServer({ serviceToken, clock, log: silentLogger, maxParked: 2, onEvent });
    front = await openHttpFront(workers.mount);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await workers[Symbol.asyncDispose]();
    await front[Symbol.asyncDispose]();
  });

  /** Sends a request as it is and collects what comes back. */
  const send = (change: Readonly<Record<string, string>> = {}, method = 'GET') => {
    const socket = connect(Number(new URL(front.baseUrl).port), '127.0.0.1');
    sockets.push(socket);
    const answer = { text: '', closed: false, socket };
    socket.on('data', (bytes) => {
      answer.text += bytes.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      answer.closed = true;
    });
    const headers = {
      host: 'ingest',
      authorization: `Bearer ${serviceToken}`,
      connection: 'Upgrade',
      upgrade: 'millrace-flv',
      'millrace-worker-id': 'worker-a',
      ...change,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`${method} /internal/v1/source-claims HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return answer;
  };
  const statusOf = async (answer: ReturnType<typeof send>) => {
    await eventually(() => answer.closed, 'the connection is closed');
    return Number(answer.text.split(' ')[1]);
  };

  it('needs the service token, the protocol and a worker id', async () => {
    expect(await statusOf(send({ authorization: 'Bearer a-service-token-for-test' }))).toBe(401);
    expect(await statusOf(send({ upgrade: 'websocket' }))).toBe(400);
    expect(await statusOf(send({ 'millrace-worker-id': 'a worker' }))).toBe(400);
    expect(await statusOf(send({}, 'POST'))).toBe(400);
    expect(workers.idle).toBe(0);
    const plain = await fetch(`${front.baseUrl}/internal/v1/source-claims`);
    expect(plain.status).toBe(401);
    expect(events).toEqual(['refused-token', 'refused-request', 'refused-request', 'refused-request']);
  });

  it('is bounded: beyond the limit a worker is told to come back', async () => {
    send();
    send();
    await eventually(() => workers.idle === 2, 'two workers park');
    expect(await statusOf(send())).toBe(503);
    expect(events).toEqual(['parked', 'parked', 'refused-full']);
  });

  it('takes a parked worker out that shows no sign of life, without a FIN', async () => {
    const answer = send();
    await eventually(() => workers.idle === 1, 'the worker parks');
    for (let i = 0; i < 20; i++) {
      answer.socket.write('\r\n');
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(workers.idle).toBe(1);
    await clock.advance(5_000);
    expect(workers.idle).toBe(0);
    await eventually(() => answer.closed, 'the connection is closed');
    expect(events).toEqual(['parked', 'parked-silent']);
    expect(answer.text).toMatch(/^(HTTP\/1.1 102 Processing\r\n\r\n)+$/);
  });

  it('passes over a parked worker that missed a sign of life while another waits', async () => {
    const still = send({ 'millrace-worker-id': 'worker-still' });
    await eventually(() => workers.idle === 1, 'the first worker parks');
    await clock.advance(2_000);
    send({ 'millrace-worker-id': 'worker-well' });
    await eventually(() => workers.idle === 2, 'the second worker parks');
    const takers = [1, 2].map(() => workers.assign(anAssignment(), { onLost: () => {}, onDrain: () => {} }));
    expect(takers.map((taken) => taken.ok && taken.value.workerId)).toEqual(['worker-well', 'worker-still']);
    expect(still.closed).toBe(false);
  });

  it('takes a parked worker out that says more than signs of life', async () => {
    const answer = send();
    await eventually(() => workers.idle === 1, 'the worker parks');
    answer.socket.write('GET / HTTP/1.1\r\n\r\n');
    await eventually(() => answer.closed, 'the connection is closed');
    expect(workers.idle).toBe(0);
  });

  it('never offers a source to a worker that has just hung up', async () => {
    const answer = send();
    await eventually(() => workers.idle === 1, 'the worker parks');
    answer.socket.destroy();
    await eventually(() => workers.idle === 0, 'the worker leaves the queue');
    const assigned = workers.assign(anAssignment(), { onLost: () => {}, onDrain: () => {} });
    expect(assigned.ok).toBe(false);
  });

  it('closes every connection when ingest closes, held sources included', async () => {
    const [parked, holding] = [send(), send()];
    await eventually(() => workers.idle === 2, 'two workers park');
    let losses = 0;
    workers.assign(anAssignment(), { onLost: () => void losses++, onDrain: () => {} });
    await workers[Symbol.asyncDispose]();
    await eventually(() => parked.closed && holding.closed, 'both connections are closed');
    expect(losses).toBe(1);
    expect(await statusOf(send())).toBe(503);
  });
});

describe('a worker that looks for an ingest', () => {
  /** Counts the attempts to park, with the manual time of each. */
  const attemptsOf = (clock: ManualClock) => {
    const attempts: number[] = [];
    const log: Logger = { ...silentLogger, with: () => log, warn: () => void attempts.push(clock.monotonicMs()) };
    return { attempts, log };
  };

  it('comes back with growing waits while nobody listens, at most every 5 s', async () => {
    const clock = new ManualClock();
    const { attempts, log } = attemptsOf(clock);
    const unused = createServer();
    await once(unused.listen(0, '127.0.0.1'), 'listening');
    const { port } = unused.address() as { port: number };
    await new Promise((resolve) => unused.close(resolve));
    const desk = openSourceDeskClient({
      baseUrl: `http://127.0.0.1:${port}`,
      serviceToken,
      clock,
      log,
      random: () => 1,
    });
    desk.park({ workerId: 'worker-a', slots: 1, accept: createRecordingWorker().accept });
    for (let i = 0; i < 9; i++) {
      await eventually(() => attempts.length === i + 1, 'an attempt fails');
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(Math.min(5_000, 100 * 2 ** i));
    }
    expect(attempts).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300]);
    await desk[Symbol.asyncDispose]();
  });

  it('gives up an ingest that takes the connection and then says nothing for 5 s', async () => {
    const clock = new ManualClock();
    const { attempts, log } = attemptsOf(clock);
    const taken: Socket[] = [];
    const hole = createServer((socket) => taken.push(socket.on('error', () => {}).resume()));
    await once(hole.listen(0, '127.0.0.1'), 'listening');
    const { port } = hole.address() as { port: number };
    const desk = openSourceDeskClient({
      baseUrl: `http://127.0.0.1:${port}`,
      serviceToken,
      clock,
      log,
      random: () => 1,
    });
    desk.park({ workerId: 'worker-a', slots: 1, accept: createRecordingWorker().accept });
    await eventually(() => taken.length === 1, 'the worker connects');
    await clock.advance(5_000);
    expect(attempts).toEqual([]);
    await clock.advance(1_000);
    await eventually(() => attempts.length === 1, 'the worker gives up');
    await clock.advance(200);
    await eventually(() => taken.length === 2, 'the worker tries again');
    await desk[Symbol.asyncDispose]();
    for (const socket of taken) socket.destroy();
    await new Promise((resolve) => hole.close(resolve));
  });

  it('loses a source whose ingest falls silent without a FIN', async () => {
    const clock = new ManualClock();
    const serverClock = new ManualClock(); // stands still: this ingest neither pings nor watches
    const workers = openSourceClaimServer({ serviceToken, clock: serverClock, log: silentLogger });
    const front = await openHttpFront(workers.mount);
    const desk = openSourceDeskClient({ baseUrl: front.baseUrl, serviceToken, clock, log: silentLogger });
    const worker = createRecordingWorker();
    desk.park({ workerId: 'worker-a', slots: 1, accept: worker.accept });
    await eventually(() => workers.idle === 1, 'the worker parks');
    workers.assign(anAssignment(), { onLost: () => {}, onDrain: () => {} });
    await eventually(() => worker.sources.length === 1, 'the worker accepts');
    await clock.advance(4_900);
    expect(worker.sources[0]?.seen).toEqual([]);
    await clock.advance(1_200);
    expect(worker.sources[0]?.seen).toEqual(['lost']);
    await desk[Symbol.asyncDispose]();
    await workers[Symbol.asyncDispose]();
    await front[Symbol.asyncDispose]();
  });
});
