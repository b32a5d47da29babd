import { createServer } from 'node:net';
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { expectOk } from '@millrace/result';
import { afterEach, describe, expect, it } from 'vitest';
import { anAssignment } from './testing/assignment.ts';
import { eventually } from './testing/eventually.ts';
import { openHttpFront } from './testing/http-front.ts';
import { createRecordingWriter } from './testing/recording-writer.ts';
import { anOpenWindow, aPart } from './testing/window-samples.ts';
import { defineWindowWriterContract } from './testing/window-writer-contract.ts';
import type { LiveWindowOrigin } from './window-port.ts';
import { openWindowWriterClient } from './window-writer-client.ts';
import { openWindowWriterServer, type WindowWriteEvent } from './window-writer-server.ts';

const serviceToken = 'a-service-token-for-tests';
const { streamId } = anAssignment();

async function openPair(given: { writer?: LiveWindowOrigin; timeoutMs?: number; token?: string } = {}) {
  const window = createRecordingWriter(7);
  const events: WindowWriteEvent[] = [];
  const server = openWindowWriterServer({
    writer: given.writer ?? window,
    serviceToken,
    log: silentLogger,
    onEvent: (event) => void events.push(event),
  });
  const front = await openHttpFront(server.mount);
  const writer = openWindowWriterClient({
    baseUrl: front.baseUrl,
    serviceToken: given.token ?? serviceToken,
    clock: systemClock,
    log: silentLogger,
    timeoutMs: given.timeoutMs ?? 3_000,
  });
  return {
    window,
    writer,
    front,
    events,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
    },
  };
}

defineWindowWriterContract('over HTTP', async () => {
  const pair = await openPair();
  return {
    writer: pair.writer,
    streamId,
    takenBytes: (write) =>
      Buffer.concat(
        pair.window.parts.find(
          ({ rendition, segment, part }) =>
            rendition === write.rendition && segment === write.segment && part === write.part,
        )?.bytes ?? [],
      ),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
});

describe('writing a live window over HTTP', () => {
  let pair: Awaited<ReturnType<typeof openPair>>;
  afterEach(() => pair[Symbol.asyncDispose]());

  const segmentOf = (segment: number, parts: number) =>
    Array.from({ length: parts }, (_, i) =>
      aPart(
        streamId,
        10,
        { rendition: 'video', segment, part: i, index: (segment - 7) * parts + i },
        { last: i === parts - 1, discontinuity: i === 0 && segment === 7 },
      ),
    );

  it('delivery has each part, marks included, before its segment is whole', async () => {
    pair = await openPair();
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    for (const write of segmentOf(7, 3)) {
      expectOk(await pair.writer.part(write), 'part');
      const { bytes, ...taken } = pair.window.parts.at(-1)!;
      const { bytes: written, ...asked } = write;
      expect(taken).toEqual(asked);
      expect(Buffer.concat(bytes)).toEqual(Buffer.concat(written));
    }
  });

  it('ten segments of one rendition are ten requests on one connection', async () => {
    pair = await openPair();
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    let connections = 0;
    pair.front.server.on('connection', () => void connections++);
    for (let segment = 7; segment < 17; segment++) {
      for (const write of segmentOf(segment, 3)) expectOk(await pair.writer.part(write), 'part');
    }
    expect(pair.events.filter((event) => event === 'segment-request')).toHaveLength(10);
    expect(connections).toBe(1);
  });

  it('a refusal in the middle of a segment leaves the connection usable', async () => {
    pair = await openPair();
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    let connections = 0;
    pair.front.server.on('connection', () => void connections++);
    const [first, second, third] = segmentOf(7, 3);
    expectOk(await pair.writer.part(first!), 'part 0');
    expect(await pair.writer.part(third!)).toMatchObject({ error: { kind: 'unexpected-part' } });
    expect(await pair.writer.part(first!)).toMatchObject({ error: { kind: 'unexpected-part' } });
    expectOk(await pair.writer.part(second!), 'part 1');
    expectOk(await pair.writer.part(third!), 'part 2');
    expect(connections).toBe(1);
  });

  it('a wrong service token is refused and nothing reaches the window', async () => {
    pair = await openPair({ token: 'another-service-token' });
    const refused = { ok: false, error: { kind: 'unavailable' } };
    expect(await pair.writer.open(anOpenWindow(streamId, 10))).toMatchObject(refused);
    expect(await pair.writer.part(segmentOf(7, 1)[0]!)).toMatchObject(refused);
    expect(pair.window.opens).toEqual([]);
  });

  it('a window that does not answer is unavailable after the timeout, and the next write gets a new connection', async () => {
    const stuck = createRecordingWriter(7);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let calls = 0;
    const writer: LiveWindowOrigin = {
      ...stuck,
      part: (write) => (calls++ === 0 ? gate.then(() => stuck.part(write)) : stuck.part(write)),
    };
    pair = await openPair({ writer, timeoutMs: 150 });
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    const [first] = segmentOf(7, 2);
    const late = await pair.writer.part(first!);
    expect(late).toEqual({ ok: false, error: { kind: 'unavailable', message: 'no answer within 150 ms' } });
    expectOk(await pair.writer.part(first!), 'again');
    release();
  });

  it('a delivery that is a black hole is unavailable, for opens and parts', async () => {
    pair = await openPair();
    const hole = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    const { port } = hole.address() as { port: number };
    const baseUrl = `http://127.0.0.1:${port}`;
    const clock = systemClock;
    const writer = openWindowWriterClient({ baseUrl, serviceToken, clock, log: silentLogger, timeoutMs: 100 });
    const refused = { ok: false, error: { kind: 'unavailable' } };
    expect(await writer.open(anOpenWindow(streamId, 10))).toMatchObject(refused);
    expect(await writer.part(segmentOf(7, 1)[0]!)).toMatchObject(refused);
    await writer[Symbol.asyncDispose]();
    await new Promise((resolve) => hole.close(resolve));
  });

  it('bytes that are no marked part are a bad part, and the window gets none of them', async () => {
    pair = await openPair();
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    const url = `${pair.front.baseUrl}/internal/v1/live/${streamId}/10/video/7.m4s`;
    const headers = { authorization: `Bearer ${serviceToken}` };
    const bare = Buffer.concat(segmentOf(7, 1)[0]!.bytes);
    for (const body of [bare, Buffer.from('not a box at all, but long enough'), bare.subarray(0, 200)]) {
      const response = await fetch(url, { method: 'PUT', headers, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ refusal: { kind: 'bad-part' } });
    }
    expect(pair.window.parts).toEqual([]);
  });

  it('an open that is no JSON of ours, or too long, is a bad request', async () => {
    pair = await openPair();
    const url = `${pair.front.baseUrl}/internal/v1/live/${streamId}/10`;
    const headers = { authorization: `Bearer ${serviceToken}` };
    for (const body of ['{"publish_id":"nobody"}', 'x', 'y'.repeat(2_000_000)]) {
      expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(400);
    }
    expect((await fetch(`${url}/video/7.mp4`, { method: 'PUT', headers, body: 'x' })).status).toBe(400);
    expect(pair.window.opens).toEqual([]);
  });

  it('writes under way when the client closes resolve as unavailable', async () => {
    const window = createRecordingWriter(7);
    let asked = false;
    const writer: LiveWindowOrigin = {
      ...window,
      part: () => {
        asked = true;
        return new Promise(() => {});
      },
    };
    pair = await openPair({ writer });
    expectOk(await pair.writer.open(anOpenWindow(streamId, 10)), 'open');
    const answer = pair.writer.part(segmentOf(7, 1)[0]!);
    await eventually(() => asked, 'the part arrives');
    await pair.writer[Symbol.asyncDispose]();
    expect(await answer).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
  });
});
