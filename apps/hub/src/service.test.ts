import type { Channel, HubMessage } from '@millrace/api';
import { hubMessageSchema } from '@millrace/api';
import { ManualClock } from '@millrace/clock/testing';
import { record } from '@millrace/eventlog';
import { jobsTopic, revokedTokensTopic } from '@millrace/events';
import { createHubClient, type HubClient } from '@millrace/hub-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type TestHub, type TestHubOptions, TestPlant } from './testing.ts';

const until = (claim: () => void | Promise<void>) => vi.waitFor(claim, { timeout: 5_000, interval: 5 });
const open: { plant?: TestPlant; clients: HubClient[] } = { clients: [] };
afterEach(async () => {
  for (const client of open.clients.splice(0)) client.close();
  await open.plant?.[Symbol.asyncDispose]();
  delete open.plant;
});

function plant(): TestPlant {
  return (open.plant = new TestPlant());
}

function client(url: string, token?: string): HubClient {
  const options = token === undefined ? {} : { token };
  const made = createHubClient({ url, WebSocket, ...options });
  open.clients.push(made);
  return made;
}

/** A client that notes all it hears, each message checked by the protocol's schema. */
class Listener {
  readonly heard: HubMessage[] = [];
  closed: number | undefined;
  readonly socket: WebSocket;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => this.heard.push(hubMessageSchema.parse(JSON.parse(String(data)))));
    this.socket.on('close', (code) => (this.closed = code));
    this.socket.on('error', () => {});
  }

  async ask(...requests: readonly object[]): Promise<this> {
    await until(() => expect(this.socket.readyState).toBe(WebSocket.OPEN));
    for (const request of requests) this.socket.send(JSON.stringify(request));
    return this;
  }

  last<O extends HubMessage['op']>(op: O): Extract<HubMessage, { op: O }> | undefined {
    return this.heard.findLast((message): message is Extract<HubMessage, { op: O }> => message.op === op);
  }
}

async function readyHub(house: TestPlant, options: TestHubOptions = {}): Promise<TestHub> {
  const hub = await house.openHub(options);
  await until(() => {
    const late = hub.service.readiness().reasons.filter((reason) => !reason.includes('turn of signs'));
    expect(late).toEqual([]);
  });
  return hub;
}

const subscribe = (channel: Channel, more: object = {}) => ({ op: 'subscribe', channel, ...more });

describe('the hub', () => {
  it('shows who is live, and then what changes: title, state, viewers', async () => {
    const house = plant();
    await house.define('str_a');
    await house.broadcast('str_a', 'StreamPublished');
    await house.define('str_idle');
    await house.define('str_private', { visibility: 'private' });
    await house.broadcast('str_private', 'StreamPublished');
    const hub = await house.openHub();
    let streams: unknown[] = [];
    client(hub.url).subscribe('streams', {
      onSnapshot: (view) => (streams = [...view.streams.values()]),
      onChanges: (_, view) => (streams = [...view.streams.values()]),
    });
    await until(() => expect(streams).toMatchObject([{ stream_id: 'str_a', state: 'live', viewers: 0 }]));
    await house.broadcast('str_a', 'StreamInterrupted');
    await until(() => expect(streams).toMatchObject([{ state: 'interrupted' }]));
    await house.define('str_a', { title: 'new' });
    await house.count('str_a', 7);
    await until(() => expect(streams).toMatchObject([{ title: 'new', viewers: 7 }]));
    await house.define('str_a', { visibility: 'private' });
    await until(() => expect(streams).toEqual([]));
  });

  it('lets everybody see a public stream, the owner more of it, and nobody a private one without a token', async () => {
    const house = plant();
    const signer = await house.signer();
    await house.define('str_open');
    await house.define('str_shut', { visibility: 'private' });
    const hub = await readyHub(house);
    const stranger = await signer.issueApiToken({ ownerId: 'own_2', role: 'broadcaster', expiresInS: 60 });
    const owner = await signer.issueApiToken({ ownerId: 'own_1', role: 'broadcaster', expiresInS: 60 });
    const ticket = await signer.issuePlaybackToken({ playbackId: 'play_shut', expiresInS: 60 });
    const anonymous = await new Listener(hub.url).ask(
      subscribe('stream:play_open'),
      subscribe('stream:play_shut'),
      subscribe('jobs'),
      subscribe('stream:play_shut', { token: ticket.token }),
    );
    await until(() => expect(anonymous.heard).toHaveLength(5));
    expect(anonymous.heard.slice(1)).toMatchObject([
      { op: 'snapshot', channel: 'stream:play_open', streams: [{ stream_id: 'str_open', state: 'idle' }] },
      { op: 'unsubscribed', channel: 'stream:play_shut', reason: 'forbidden' },
      { op: 'unsubscribed', channel: 'jobs', reason: 'forbidden' },
      { op: 'snapshot', channel: 'stream:play_shut', streams: [{ stream_id: 'str_shut' }] },
    ]);
    expect(JSON.stringify(anonymous.heard)).not.toContain('own_1');
    const other = await new Listener(hub.url).ask(
      { op: 'authenticate', token: stranger.token },
      subscribe('stream:str_shut'),
      subscribe('stream:play_open'),
      subscribe('streams'),
    );
    await until(() => expect(other.heard).toHaveLength(5));
    expect(other.heard.slice(2)).toMatchObject([
      { op: 'unsubscribed', reason: 'forbidden' },
      { op: 'snapshot', streams: [{ stream_id: 'str_open' }] },
      { op: 'snapshot', channel: 'streams', streams: [] },
    ]);
    expect(JSON.stringify(other.heard)).not.toContain('own_1');
    const own = await new Listener(hub.url).ask({ op: 'authenticate', token: owner.token }, subscribe('streams'));
    await until(() => expect(own.last('snapshot')?.streams).toHaveLength(2));
    expect(own.last('snapshot')?.streams?.[1]).toMatchObject({ owner_id: 'own_1', health: null });
  });

  it('ends a public subscription the moment its stream becomes private or is deleted', async () => {
    const house = plant();
    await house.define('str_a');
    await house.define('str_b');
    const hub = await readyHub(house);
    const viewer = await new Listener(hub.url).ask(subscribe('stream:play_a'), subscribe('stream:play_b'));
    await until(() => expect(viewer.heard).toHaveLength(3));
    await house.define('str_a', { visibility: 'private', title: 'secret' });
    await house.deleteStream('str_b');
    await until(() => expect(viewer.heard).toHaveLength(5));
    expect(viewer.heard.slice(3)).toMatchObject([
      { op: 'unsubscribed', channel: 'stream:play_a', reason: 'forbidden' },
      { op: 'unsubscribed', channel: 'stream:play_b', reason: 'gone' },
    ]);
    expect(JSON.stringify(viewer.heard)).not.toContain('secret');
  });

  it('ends what stands on a token when the token expires or is revoked, and nothing else', async () => {
    const house = plant();
    const clock = new ManualClock(Date.now());
    const signer = await house.signer();
    await house.define('str_a', { visibility: 'private' });
    const hub = await readyHub(house, { clock, settings: { HUB_PING_S: '600' } });
    const short = await signer.issueApiToken({ ownerId: 'own_1', role: 'viewer', expiresInS: 30 });
    const long = await signer.issueApiToken({ ownerId: 'own_1', role: 'viewer', expiresInS: 3600 });
    const ticket = await signer.issuePlaybackToken({ playbackId: 'play_a', expiresInS: 3600 });
    const [brief, lasting] = [short, long].map(({ token }) => {
      const listener = new Listener(hub.url);
      void listener.ask(subscribe('streams'), { op: 'authenticate', token }, subscribe('stream:str_a'));
      return listener;
    }) as [Listener, Listener];
    const watching = await new Listener(hub.url).ask(subscribe('stream:play_a', { token: ticket.token }));
    await until(() => expect([brief, lasting].map(({ heard }) => heard.length)).toEqual([4, 4]));
    await until(() => expect(watching.last('snapshot')).toBeDefined());
    await clock.advance(31_000);
    await until(() => expect(brief.heard).toHaveLength(5));
    expect(brief.heard[4]).toMatchObject({ op: 'unsubscribed', channel: 'stream:str_a', reason: 'token-expired' });
    expect(lasting.heard).toHaveLength(4);
    for (const { jti } of [long, ticket]) {
      await house.eventLog.publish([
        record(revokedTokensTopic, { jti, revoked_at_ms: 1, expires_at_ms: Date.now() + 9e6 }),
      ]);
    }
    await until(() =>
      expect(lasting.last('unsubscribed')).toMatchObject({ channel: 'stream:str_a', reason: 'forbidden' }),
    );
    await until(() => expect(watching.last('unsubscribed')).toMatchObject({ reason: 'forbidden' }));
    // What everybody may see goes on.
    await house.define('str_pub');
    await house.broadcast('str_pub', 'StreamPublished');
    await until(() => expect(brief.last('delta')).toMatchObject({ channel: 'streams' }));
  });

  it('tells at any instance what a client of another one missed', async () => {
    const house = plant();
    await house.define('str_a');
    await house.broadcast('str_a', 'StreamPublished');
    const [one, other] = [await readyHub(house), await readyHub(house, { instanceId: 'hub-2' })];
    const before = await new Listener(one.url).ask(subscribe('streams'));
    await until(() => expect(before.last('snapshot')?.streams).toHaveLength(1));
    const after = before.last('snapshot')?.position;
    before.socket.terminate();
    for (const title of ['two', 'three']) await house.define('str_a', { title });
    await house.broadcast('str_a', 'StreamInterrupted');
    const back = await new Listener(other.url).ask(subscribe('streams', { after }));
    await until(() => expect(back.last('recovered')).toBeDefined());
    const told = back.last('recovered')?.changes.flatMap((change) => (change.kind === 'stream' ? [change.stream] : []));
    // Which topic was read first is each instance's own affair; within one, the order is the log's.
    expect(told).toHaveLength(3);
    expect(
      told?.map(({ title }) => title).filter((title, at, all) => title.length < 6 && all[at - 1] !== title),
    ).toEqual(['two', 'three']);
    expect(told?.at(-1)).toMatchObject({ title: 'three', state: 'interrupted' });
    const lost = await new Listener(other.url).ask(
      subscribe('streams', { after: { epoch: 'another log', offset: after?.offset } }),
    );
    await until(() => expect(lost.last('snapshot')?.streams).toMatchObject([{ title: 'three' }]));
  });

  it('lets the viewers of a silent instance go within 6 s and keeps those of the others', async () => {
    const house = plant();
    const clock = new ManualClock(Date.now());
    await house.define('str_a');
    await house.broadcast('str_a', 'StreamPublished');
    const hub = await readyHub(house, { clock, settings: { HUB_PING_S: '600' } });
    const viewer = await new Listener(hub.url).ask(subscribe('stream:play_a'));
    await until(() => expect(viewer.last('snapshot')).toBeDefined());
    const viewers = () =>
      viewer.heard.findLast((m) => m.op === 'delta' && m.changes.some(({ kind }) => kind === 'counted'));
    let beats = 0;
    const counted = async (count: number, instanceId: string) => {
      await house.count('str_a', count, instanceId);
      beats++;
      await until(async () => {
        const read = await hub.metrics.getSingleMetricAsString('millrace_hub_log_records_total');
        expect(read).toContain(`topic="live.instances.v1"} ${beats}`);
        expect(read).toContain(`topic="playback.audience.v1"} ${beats}`);
      });
    };
    const beat = async () => {
      await counted(2, 'delivery-2');
      await clock.advance(2_000);
    };
    await counted(5, 'delivery-1');
    await beat();
    await until(() => expect(viewers()).toMatchObject({ changes: [{ viewers: 7 }] }));
    await beat();
    expect(viewers()).toMatchObject({ changes: [{ viewers: 7 }] });
    await beat();
    await beat();
    await until(() => expect(viewers()).toMatchObject({ changes: [{ viewers: 2 }] }));
  });

  it('shows jobs to their owner only, none of the house, with progress that never falls', async () => {
    const house = plant();
    const signer = await house.signer();
    const hub = await readyHub(house);
    const job = { job_id: 'job_1', owner_id: 'own_1', kind: 'process' as const, subject: 'vid_1', at_ms: 1 };
    const ofHouse = { ...job, job_id: 'job_0', kind: 'thumbnail' as const, type: 'JobQueued' as const };
    await house.eventLog.publish([record(jobsTopic, ofHouse), record(jobsTopic, { ...job, type: 'JobQueued' })]);
    const token = async (ownerId: string) =>
      (await signer.issueApiToken({ ownerId, role: 'broadcaster', expiresInS: 60 })).token;
    const own = await new Listener(hub.url).ask({ op: 'authenticate', token: await token('own_1') }, subscribe('jobs'));
    const other = await new Listener(hub.url).ask(
      { op: 'authenticate', token: await token('own_2') },
      subscribe('jobs'),
      subscribe('job:job_1'),
    );
    await until(() => expect(own.last('snapshot')?.jobs).toMatchObject([{ status: 'pending' }]));
    for (const progress of [40, 30, 60]) {
      const said = { attempt: 1, progress, phase: 'encode' };
      await house.eventLog.publish([record(jobsTopic, { ...job, ...said, type: 'JobProgressed' })]);
    }
    const seen = () =>
      own.heard
        .flatMap((m) => (m.op === 'delta' ? m.changes : []))
        .flatMap((c) => (c.kind === 'job' ? [c.job.progress] : []));
    await until(() => expect(seen().at(-1)).toBe(60));
    expect(seen()).toEqual([...seen()].sort((a, b) => a - b));
    await until(() => expect(other.last('unsubscribed')).toMatchObject({ channel: 'job:job_1', reason: 'forbidden' }));
    expect(other.last('snapshot')?.jobs).toEqual([]);
  });

  it('takes so many subscriptions of a client and no more, until it lets one go', async () => {
    const house = plant();
    await house.define('str_a');
    await house.define('str_b');
    const hub = await readyHub(house, { settings: { HUB_MAX_SUBSCRIPTIONS: '2' } });
    const viewer = await new Listener(hub.url).ask(subscribe('streams'), subscribe('stream:play_a'));
    await viewer.ask(subscribe('stream:play_b'), subscribe('stream:play_a'));
    const heard = () => viewer.heard.map((m) => `${m.op} ${'channel' in m ? m.channel : ''}`).slice(1);
    const snapshots = ['snapshot streams', 'snapshot stream:play_a'];
    await until(() => expect(heard()).toHaveLength(4));
    expect(heard().sort()).toEqual([...snapshots, 'snapshot stream:play_a', 'unsubscribed stream:play_b'].sort());
    expect(viewer.last('unsubscribed')).toMatchObject({ reason: 'too-many' });
    await viewer.ask({ op: 'unsubscribe', channel: 'streams' }, subscribe('stream:play_b'));
    await until(() => expect(heard().at(-1)).toBe('snapshot stream:play_b'));
  });

  it('sends its clients away spread over time when it stops, and takes no new ones', async () => {
    const house = plant();
    const hub = await readyHub(house, { settings: { HUB_DRAIN_SPREAD_MS: '1000' } });
    const listeners = await Promise.all(
      Array.from({ length: 10 }, () => new Listener(hub.url).ask(subscribe('streams'))),
    );
    await until(() => expect(listeners.every((one) => one.last('snapshot'))).toBe(true));
    await hub[Symbol.asyncDispose]();
    await until(() => expect(listeners.map(({ closed }) => closed)).toEqual(Array.from({ length: 10 }, () => 1012)));
    const times = listeners.map((one) => one.last('reconnect')?.after_ms).sort((a, b) => Number(a) - Number(b));
    expect(times).toEqual(Array.from({ length: 10 }, (_, n) => (n + 1) * 100));
  });
});
