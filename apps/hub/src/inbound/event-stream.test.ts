/** The hub's channels as server-sent events, read as a browser reads them. */
import { connect, type Socket } from 'node:net';
import { type HubMessage, hubMessageSchema } from '@millrace/api';
import { ManualClock } from '@millrace/clock/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type TestHub, type TestHubOptions, TestPlant } from '../testing.ts';

const until = (claim: () => void | Promise<void>) => vi.waitFor(claim, { timeout: 5_000, interval: 5 });
const open: { plant?: TestPlant; readers: EventReader[] } = { readers: [] };
afterEach(async () => {
  for (const reader of open.readers.splice(0)) reader.socket.destroy();
  await open.plant?.[Symbol.asyncDispose]();
  delete open.plant;
});

async function openHubs(...all: readonly TestHubOptions[]): Promise<[TestHub, ...TestHub[]]> {
  const plant = (open.plant = new TestPlant());
  await plant.define('str_a', { title: 'one' });
  await plant.broadcast('str_a', 'StreamPublished');
  const [first, ...others] = all;
  return [await plant.openHub(first), ...(await Promise.all(others.map((options) => plant.openHub(options))))];
}

function plant(): TestPlant {
  if (open.plant === undefined) throw new Error('expected a plant');
  return open.plant;
}

/** One request on a socket of its own, HTTP/1.0 so that the body is not framed. */
class EventReader {
  readonly socket: Socket;
  text = '';
  ended = false;

  constructor(hub: TestHub, query: string, headers: readonly string[] = []) {
    this.socket = connect(hub.server.port, '127.0.0.1');
    open.readers.push(this);
    this.socket.on('data', (data: Buffer) => (this.text += data.toString()));
    this.socket.on('close', () => (this.ended = true));
    this.socket.on('error', () => {});
    const lines = [`GET /api/v1/events${query} HTTP/1.0`, `Host: 127.0.0.1:${hub.server.port}`, ...headers];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.text)?.[1] ?? 0);
  }

  get messages(): HubMessage[] {
    return [...this.text.matchAll(/^data: (.+)$/gm)].map(([, json]) => hubMessageSchema.parse(JSON.parse(json ?? '')));
  }

  /** The last position that was given. */
  get id(): string {
    return [...this.text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
  }

  get titles(): string[] {
    return this.messages
      .flatMap((message) => ('changes' in message ? message.changes : []))
      .flatMap((change) => (change.kind === 'stream' ? [change.stream.title] : []));
  }

  async heard(op: HubMessage['op']): Promise<this> {
    await until(() => expect(this.messages.map((message) => message.op)).toContain(op));
    return this;
  }
}

describe('server-sent events', () => {
  it('go on at another instance where Last-Event-ID left off, in every channel', async () => {
    const [one, other] = (await openHubs({}, { instanceId: 'hub-2' })) as [TestHub, TestHub];
    const before = await new EventReader(one, '?channels=streams,stream:play_a').heard('snapshot');
    await until(() => expect(before.messages.filter(({ op }) => op === 'snapshot')).toHaveLength(2));
    expect(before.text).toMatch(/content-type: text\/event-stream/i);
    expect(before.id).not.toBe('');
    before.socket.destroy();
    for (const title of ['two', 'three']) await plant().define('str_a', { title });
    const back = new EventReader(other, '?channels=streams,stream:play_a', [`Last-Event-ID: ${before.id}`]);
    await until(() => expect(back.messages.filter(({ op }) => op === 'recovered')).toHaveLength(2));
    expect(back.titles).toEqual(['two', 'three', 'two', 'three']);
    expect(back.messages.some(({ op }) => op === 'snapshot')).toBe(false);
    const latest = back.id;
    const again = await new EventReader(other, `?channels=streams&last_event_id=${latest}`).heard('recovered');
    expect(again.titles).toEqual([]);
  });

  it('begin with a snapshot where the position is nobody’s', async () => {
    const [hub] = await openHubs({});
    for (const id of ['nonsense', 'evt_other~0_5~', `${'x'.repeat(3_000)}~~`]) {
      const reader = await new EventReader(hub, '?channels=streams', [`Last-Event-ID: ${id}`]).heard('snapshot');
      expect(reader.messages[0]).toMatchObject({ op: 'snapshot', streams: [{ title: 'one' }] });
    }
  });

  it.each([
    ['?channels=', [], 400],
    ['?channels=nothing:of:this', [], 400],
    ['?channels=streams,jobs,stream:play_a', [], 400],
    ['?channels=streams', ['Authorization: Basic eDp5'], 400],
    ['?channels=streams', ['Authorization: Bearer made-up'], 401],
    ['?channels=jobs', [], 403],
    ['?channels=stream:play_none', [], 404],
    ['?channels=stream:play_a&token=made-up', [], 401],
    ['?channels=streams', ['Origin: https://elsewhere.example'], 403],
    ['/more?channels=streams', [], 404],
  ])('are refused before they begin: %s %j is %i', async (query, headers, status) => {
    const [hub] = await openHubs({ settings: { HUB_MAX_SUBSCRIPTIONS: '2' } });
    (await new EventReader(hub, '?channels=streams').heard('snapshot')).socket.end();
    const reader = new EventReader(hub, query, headers);
    await until(() => expect(reader.ended).toBe(true));
    expect(reader.status).toBe(status);
    expect(reader.text).toContain('application/problem+json');
  });

  it('go on for the channels that may be seen, and tell of the others', async () => {
    const [hub] = await openHubs({});
    const reader = await new EventReader(hub, '?channels=jobs,streams').heard('snapshot');
    expect(reader.messages).toMatchObject([{ op: 'unsubscribed', channel: 'jobs' }, { op: 'snapshot' }]);
    await plant().define('str_a', { title: 'two' });
    await until(() => expect(reader.titles).toEqual(['two']));
  });

  it('end with the time to come back when the instance stops, and a place is free', async () => {
    const [hub] = await openHubs({ settings: { HUB_DRAIN_SPREAD_MS: '100' } });
    const readers = await Promise.all([1, 2].map(() => new EventReader(hub, '?channels=streams').heard('snapshot')));
    await hub[Symbol.asyncDispose]();
    await until(() => expect(readers.every(({ ended }) => ended)).toBe(true));
    expect(readers.map(({ text }) => Number(/^retry: (\d+)$/m.exec(text)?.[1])).sort((a, b) => a - b)).toEqual([
      50, 100,
    ]);
  });

  it('leave counts out for a client that does not read, and tell it the newest once it does', async () => {
    const clock = new ManualClock(Date.now());
    const [hub] = await openHubs({ clock, settings: { HUB_MAX_QUEUED_KB: '65536', HUB_PING_S: '600' } });
    const stuck = await new EventReader(hub, '?channels=streams').heard('snapshot');
    stuck.socket.pause();
    const metric = async (name: string) =>
      Number(/ (\d+)$/m.exec(await hub.metrics.getSingleMetricAsString(`millrace_hub_${name}`))?.[1] ?? 0);
    const title = 'x'.repeat(20_000);
    for (let n = 0; (await metric('messages_skipped_total')) === 0; n++) {
      if (n > 2_000) throw new Error('nothing was ever left out');
      await plant().define('str_a', { title: `${n} ${title}` });
      await new Promise((resolve) => setImmediate(resolve)); // the log in memory answers without a turn of the loop
      if (n % 50 !== 49) continue;
      await plant().count('str_a', n + 1);
      await clock.advance(50); // a turn of counts
    }
    await plant().count('str_a', 123_456);
    const before = await metric('messages_skipped_total');
    const turn = () => clock.advance(50);
    await until(async () => {
      await turn();
      expect(await metric('messages_skipped_total')).toBeGreaterThan(before);
    });
    stuck.socket.resume();
    await until(async () => {
      await turn();
      expect(stuck.text).toContain('"viewers":123456');
    });
    const counts = [...stuck.text.matchAll(/"kind":"counted"[^}]*"viewers":(\d+)/g)].map(([, count]) => Number(count));
    expect(counts.at(-1)).toBe(123_456);
    expect(stuck.ended).toBe(false);
  });

  it('are ended for a client that leaves more untaken than it may', async () => {
    const [hub] = await openHubs({ settings: { HUB_MAX_QUEUED_KB: '64' } });
    const stuck = await new EventReader(hub, '?channels=streams').heard('snapshot');
    stuck.socket.pause();
    const closed = () => hub.metrics.getSingleMetricAsString('millrace_hub_connections_closed_total');
    const title = 'x'.repeat(20_000);
    for (let n = 0; !(await closed()).includes('reason="slow"'); n++) {
      if (n > 3_000) throw new Error('it was never closed');
      await plant().define('str_a', { title: `${n} ${title}` });
      await new Promise((resolve) => setImmediate(resolve));
    }
    stuck.socket.resume();
    await until(() => expect(stuck.ended).toBe(true));
  });
});
