/** What no well-behaved client sends, byte by byte, on sockets of our own. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { ManualClock } from '@millrace/clock/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type TestHub, type TestHubOptions, TestPlant } from '../testing.ts';

const until = (claim: () => void | Promise<void>) => vi.waitFor(claim, { timeout: 5_000, interval: 5 });
let plant: TestPlant | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await plant?.[Symbol.asyncDispose]();
  plant = undefined;
});

async function openHub(options: TestHubOptions = {}): Promise<TestHub> {
  plant = new TestPlant();
  await plant.define('str_a');
  await plant.broadcast('str_a', 'StreamPublished');
  return plant.openHub(options);
}

/** A client frame (RFC 6455 5.2); `first` is the byte with FIN and opcode. */
function frame(first: number, payload: Buffer, masked = true): Buffer {
  const { length } = payload;
  const bit = masked ? 0x80 : 0;
  const head =
    length < 126 ? Buffer.from([first, bit | length]) : Buffer.from([first, bit | 126, length >> 8, length & 255]);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

const text = (value: object | string, first = 0x81) =>
  frame(first, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

class RawClient {
  readonly socket: Socket;
  bytes = Buffer.alloc(0);
  gone = false;

  constructor(hub: TestHub, headers: readonly string[] = []) {
    this.socket = connect(hub.server.port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', (data: Buffer) => (this.bytes = Buffer.concat([this.bytes, data])));
    this.socket.on('close', () => (this.gone = true));
    this.socket.on('error', () => {});
    const lines = [
      'GET /ws HTTP/1.1',
      `Host: 127.0.0.1:${hub.server.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
    ];
    const key = `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`;
    this.socket.write(`${[...lines, key, 'Sec-WebSocket-Version: 13', ...headers].join('\r\n')}\r\n\r\n`);
  }

  get heard(): string {
    return this.bytes.toString('latin1');
  }

  async greeted(): Promise<this> {
    await until(() => expect(this.heard).toContain('"op":"hello"'));
    return this;
  }

  /** Code of the closing frame that came last. */
  async closeCode(): Promise<number> {
    await until(() => expect(this.bytes.lastIndexOf(0x88)).toBeGreaterThan(0));
    return this.bytes.readUInt16BE(this.bytes.lastIndexOf(0x88) + 2);
  }
}

describe('a client that sends', () => {
  it('a message in fragments, with a ping in between, is answered as for one frame', async () => {
    const client = await new RawClient(await openHub()).greeted();
    const json = JSON.stringify({ op: 'subscribe', channel: 'streams' });
    const pieces = [json.slice(0, 5), json.slice(5, 6), json.slice(6)];
    client.socket.write(text(pieces[0] ?? '', 0x01));
    client.socket.write(frame(0x89, Buffer.from('hi')));
    client.socket.write(text(pieces[1] ?? '', 0x00));
    // The last one a byte at a time.
    for (const byte of text(pieces[2] ?? '', 0x80)) client.socket.write(Buffer.from([byte]));
    await until(() => expect(client.heard).toContain('"op":"snapshot"'));
    expect(client.heard).toContain('\x8a\x02hi');
  });

  it('text that is not UTF-8 is closed with 1007', async () => {
    const client = await new RawClient(await openHub()).greeted();
    client.socket.write(frame(0x81, Buffer.from([0x7b, 0xc3, 0x28, 0x7d])));
    expect(await client.closeCode()).toBe(1007);
  });

  it('more than a request can be is closed with 1009 before it is all there', async () => {
    const client = await new RawClient(await openHub()).greeted();
    client.socket.write(frame(0x81, Buffer.alloc(5_000, 0x20)).subarray(0, 100));
    expect(await client.closeCode()).toBe(1009);
  });

  it('more than that in many small fragments is closed with 1009', async () => {
    const client = await new RawClient(await openHub()).greeted();
    for (let n = 0; n < 10; n++) client.socket.write(frame(n === 0 ? 0x01 : 0x00, Buffer.alloc(500, 0x20)));
    expect(await client.closeCode()).toBe(1009);
  });

  it.each([
    ['a frame without a mask', frame(0x81, Buffer.from('{}'), false)],
    ['a reserved bit', frame(0xc1, Buffer.from('{}'))],
    ['a reserved opcode', frame(0x83, Buffer.from('{}'))],
    ['a continuation of nothing', frame(0x80, Buffer.from('{}'))],
    ['a fragmented ping', frame(0x09, Buffer.from('x'))],
  ])('%s is closed with 1002', async (_, bytes) => {
    const client = await new RawClient(await openHub()).greeted();
    client.socket.write(bytes);
    expect(await client.closeCode()).toBe(1002);
  });

  it('binary frames is closed with 1003', async () => {
    const client = await new RawClient(await openHub()).greeted();
    client.socket.write(frame(0x82, Buffer.from('{"op":"ping"}')));
    expect(await client.closeCode()).toBe(1003);
  });

  it('what is not a request is told so and goes on', async () => {
    const client = await new RawClient(await openHub()).greeted();
    for (const wrong of ['{', '[]', '{"op":"shout"}', '{"op":"subscribe","channel":"../etc"}'])
      client.socket.write(text(wrong));
    client.socket.write(text({ op: 'ping' }));
    await until(() => expect(client.heard).toContain('"op":"pong"'));
    expect(client.heard.match(/"op":"refused"/g)).toHaveLength(4);
  });

  it('requests or pings without end is closed with 1008', async () => {
    const hub = await openHub({ settings: { HUB_MAX_REQUESTS_PER_S: '5' } });
    for (const bytes of [text({ op: 'ping' }), frame(0x89, Buffer.alloc(0))]) {
      const client = await new RawClient(hub).greeted();
      for (let n = 0; n < 50; n++) client.socket.write(bytes);
      expect(await client.closeCode()).toBe(1008);
    }
  });

  it('nothing any more, not even pongs, is let go after two turns', async () => {
    const clock = new ManualClock();
    const hub = await openHub({ clock });
    const half = await new RawClient(hub).greeted();
    const alive = new WebSocket(hub.url);
    let pings = 0;
    alive.on('ping', () => pings++);
    await until(() => expect(alive.readyState).toBe(WebSocket.OPEN));
    await clock.advance(20_000);
    await until(() => expect(pings).toBe(1));
    // The pong has to travel.
    await new Promise<void>((resolve) => {
      alive.ping();
      alive.once('pong', () => resolve());
    });
    await clock.advance(20_000);
    await until(() => expect(half.gone).toBe(true));
    expect(alive.readyState).toBe(WebSocket.OPEN);
    alive.terminate();
  });
});

describe('the door', () => {
  const status = async (hub: TestHub, headers: readonly string[] = []) => {
    const client = new RawClient(hub, headers);
    await until(() => expect(client.heard).toContain('\r\n\r\n'));
    return Number(client.heard.slice(9, 12));
  };

  it('is shut for pages of other origins, and open for our own, named ones and programs', async () => {
    const hub = await openHub({ settings: { HUB_ALLOWED_ORIGINS: 'https://friend.example' } });
    expect(await status(hub, ['Origin: https://evil.example'])).toBe(403);
    expect(await status(hub, [`Origin: http://evil.example:${hub.server.port}`])).toBe(403);
    expect(await status(hub, ['Origin: null'])).toBe(403);
    expect(await status(hub, [`Origin: http://127.0.0.1:${hub.server.port}`])).toBe(101);
    expect(await status(hub, ['Origin: https://friend.example'])).toBe(101);
    expect(await status(hub)).toBe(101);
  });

  it('counts who is inside, by address behind a trusted proxy, and lets the next in when one leaves', async () => {
    const hub = await openHub({
      settings: { HUB_MAX_SOCKETS: '3', HUB_MAX_SOCKETS_PER_ADDRESS: '2', TRUSTED_PROXIES: '127.0.0.0/8' },
    });
    const of = (address: string) => [`X-Forwarded-For: 6.6.6.6, ${address}`];
    const first = await new RawClient(hub, of('1.1.1.1')).greeted();
    expect(await status(hub, of('1.1.1.1'))).toBe(101);
    expect(await status(hub, of('1.1.1.1'))).toBe(429);
    expect(await status(hub, of('2.2.2.2'))).toBe(101);
    expect(await status(hub, of('3.3.3.3'))).toBe(503);
    first.socket.destroy();
    await until(async () => expect(await status(hub, of('1.1.1.1'))).toBe(101));
    expect(await hub.metrics.getSingleMetricAsString('millrace_hub_connections_refused_total')).toMatch(
      /too-many-of-address/,
    );
  });

  it('lets only so many in at once', async () => {
    const hub = await openHub({ settings: { HUB_MAX_HANDSHAKES_PER_S: '3' }, clock: new ManualClock() });
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await status(hub));
    expect(answers).toEqual([101, 101, 101, 503]);
  });
});

describe('a client that does not read', () => {
  it('is closed when states pile up, while the others hear everything', async () => {
    const hub = await openHub({ settings: { HUB_MAX_QUEUED_KB: '64' } });
    const stuck = await new RawClient(hub).greeted();
    stuck.socket.write(text({ op: 'subscribe', channel: 'streams' }));
    await until(() => expect(stuck.heard).toContain('"op":"snapshot"'));
    stuck.socket.pause();
    const other = new WebSocket(hub.url);
    let last = '';
    other.on('message', (data) => (last = String(data)));
    other.on('open', () => other.send(JSON.stringify({ op: 'subscribe', channel: 'streams' })));
    await until(() => expect(last).toContain('snapshot'));
    // The kernel takes some megabytes before the hub's own queue begins to grow.
    const title = 'x'.repeat(20_000);
    const closed = () => hub.metrics.getSingleMetricAsString('millrace_hub_connections_closed_total');
    for (let n = 0; !(await closed()).includes('reason="slow"'); n++) {
      if (n > 3_000) throw new Error('it was never closed');
      await plant?.define('str_a', { title: `${n} ${title}` });
      await new Promise((resolve) => setImmediate(resolve)); // the log in memory answers without a turn of the loop
    }
    await plant?.define('str_a', { title: 'the end' });
    await until(() => expect(last).toContain('the end'));
    other.terminate();
  });
});
