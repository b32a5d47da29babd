import {
  type AudienceCount,
  audienceTopic,
  type Beacon,
  beaconsTopic,
  type Topic,
  type ViewerFact,
  viewerSessionsTopic,
} from '@millrace/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryKit, openDeliveryKit } from '../test/delivery-kit.ts';
import { Player } from '../test/player.ts';
import { SyntheticBroadcast } from '../test/synthetic-broadcast.ts';

/** Everything that is said on a topic while it is followed. */
async function heard<T>(kit: DeliveryKit, topic: Topic<T>): Promise<T[]> {
  const values: T[] = [];
  await kit.eventLog.follow({
    topic,
    from: 'earliest',
    onRecord: ({ value }) => value !== undefined && values.push(value),
  });
  return values;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile/15E148 Safari/604.1';

describe('a viewer', () => {
  let kit: DeliveryKit;
  let broadcast: SyntheticBroadcast;
  let playbackId: string;
  let streamId: string;
  let facts: ViewerFact[];
  let audience: AudienceCount[];
  let beacons: Beacon[];
  let sampleRoom = 0;
  beforeEach(async () => {
    sampleRoom = 10_000;
    kit = await openDeliveryKit({}, { sampleRoom: () => sampleRoom });
    const stream = await kit.define();
    playbackId = stream.playbackId;
    streamId = stream.streamId;
    broadcast = new SyntheticBroadcast(kit.service.writer, { streamId: stream.streamId });
    await broadcast.start();
    await broadcast.parts(12);
    [facts, audience, beacons] = await Promise.all([
      heard(kit, viewerSessionsTopic),
      heard(kit, audienceTopic),
      heard(kit, beaconsTopic),
    ]);
  });
  afterEach(() => kit[Symbol.asyncDispose]());

  const said = () => facts.map((fact) => (fact.type === 'ViewerJoined' ? 'joined' : fact.reason));
  const sessionOf = (url: string) => /\/s\/([^/]+)\//.exec(url)?.[1] ?? '';
  const wait = (ms: number) => kit.clock.advance(ms);
  const post = (path: string, body: string, type = 'application/cmcd') =>
    fetch(`${kit.origin}/live/${playbackId}${path}`, { method: 'POST', body, headers: { 'content-type': type } });
  const viewers = () => audience.at(-1)?.viewers;

  it('is nobody until a media playlist is asked for, by GET', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video, { method: 'HEAD' });
    await wait(2_000);
    expect([facts, audience]).toEqual([[], []]);
    await fetch(video, { headers: { 'user-agent': phone } });
    await wait(1_000);
    expect(facts).toEqual([
      expect.objectContaining({
        type: 'ViewerJoined',
        session_id: sessionOf(video),
        stream_id: streamId,
        resumed: false,
      }),
    ]);
    expect(facts[0]).toMatchObject({ playback_id: playbackId, owner_id: 'own_1', device: 'mobile', player: 'safari' });
    expect(JSON.stringify(facts)).not.toContain('127.0.0.1');
    expect(viewers()).toBe(1);
  });

  it('stays by reloads and leaves by silence, and its place is free again', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    for (let i = 0; i < 5; i++) {
      await fetch(video);
      await wait(4_000);
    }
    expect(said()).toEqual(['joined']);
    await wait(3_000);
    expect(said()).toEqual(['joined', 'silent']);
    expect(facts[1]).toMatchObject({ counted_ms: 16_000 });
    expect(viewers()).toBe(0);
    expect(await kit.metric('millrace_delivery_viewer_sessions')).toBe(0);
  });

  it('who comes back after a silence is the same one, resumed', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video);
    await wait(8_000);
    await fetch(video);
    await wait(2_000);
    expect(said()).toEqual(['joined', 'silent', 'joined']);
    expect(facts[2]).toMatchObject({ resumed: true, session_id: facts[0]?.session_id });
    expect(viewers()).toBe(1);
  });

  it('whose request is held is not silent, however long the encoder is', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video);
    const { segment, part } = broadcast.next('video');
    const held = fetch(`${video}?_HLS_msn=${segment}&_HLS_part=${part}`);
    while ((await kit.metric('millrace_delivery_waiting_requests')) === 0) await turn();
    await wait(5_900);
    expect(said()).toEqual(['joined']);
    await broadcast.parts(1);
    expect((await held).status).toBe(200);
    for (let i = 0; i < 5; i++) await turn(); // what an answer leaves to be done
    await wait(4_000);
    expect(said()).toEqual(['joined']);
    await wait(3_000);
    expect(said()).toEqual(['joined', 'silent']);
  });

  it('is told apart by session, counted at most once a second, and all are gone when the service stops', async () => {
    const urls = await Promise.all(
      Array.from({ length: 20 }, async () => (await new Player(kit.origin, playbackId).renditions())['video'] ?? ''),
    );
    for (const url of urls) await fetch(url);
    await wait(3_000);
    expect(viewers()).toBe(20);
    expect(new Set(facts.map((fact) => fact.viewer_hash)).size).toBe(1);
    expect(audience.length).toBeLessThanOrEqual(3);
    await kit.service[Symbol.asyncDispose]();
    await wait(0);
    expect(said().filter((word) => word === 'draining')).toHaveLength(20);
    expect(viewers()).toBe(0);
  });

  it('quits when its player says so, and what is still on its way does not bring it back', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video);
    const response = await post(`/s/${sessionOf(video)}/cmcd`, 'e=ps,sta=q,v=2,sid="a",ts=1700000000000');
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    await fetch(video);
    await wait(2_000);
    expect(said()).toEqual(['joined', 'quit']);
    expect(beacons).toMatchObject([
      { session_id: sessionOf(video), state: 'q', event: 'ps', mode: 'event', version: 2 },
    ]);
  });

  it('who pauses is kept by reports alone', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video);
    for (let i = 0; i < 3; i++) {
      await post(`/s/${sessionOf(video)}/cmcd`, 'e=t,sta=a,v=2');
      await wait(20_000);
    }
    expect(said()).toEqual(['joined']);
  });

  it('is found by the player session that came with a reload, and else by who he is', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const session = sessionOf(video);
    await fetch(video);
    await fetch(`${video}?CMCD=${encodeURIComponent('sid="player-1",ot=m')}`);
    await post('/cmcd', 'e=t,sta=p,sid="player-1",v=2,ltc=640');
    await post('/cmcd', 'e=t,sta=p,v=2,sid="player-1",bsa=(2),bsda=(300)');
    expect(beacons.map((beacon) => [beacon.session_id, beacon.mode, beacon.latency_ms, beacon.starved_count])).toEqual([
      [session, 'query', undefined, undefined],
      [session, 'event', 640, undefined],
      [session, 'event', undefined, 2],
    ]);
    await wait(1_500);
    expect([said(), viewers()]).toEqual([['joined'], 1]);
  });

  it('whose player reports before its first media playlist is one viewer, not two', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await post('/cmcd', 'e=ps,sta=s,sid="player-2",v=2');
    await fetch(video);
    await post('/cmcd', 'e=ps,sta=p,sid="player-2",v=2,msd=420');
    await wait(4_000);
    expect(said()).toEqual(['joined']);
    expect(new Set(beacons.map((beacon) => beacon.session_id))).toEqual(new Set([sessionOf(video)]));
  });

  it('that only reports tell of is one all the same', async () => {
    for (let i = 0; i < 4; i++) {
      await post('/cmcd', 'e=t,sta=p,sid="dash-1",v=2');
      await wait(1_000);
    }
    expect(beacons).toHaveLength(4);
    expect([said(), viewers()]).toEqual([['joined'], 1]);
  });

  it('leaves with the broadcast, whose last reloads bring nobody', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    await fetch(video);
    const common = {
      stream_id: streamId,
      owner_id: 'own_1',
      epoch: 1,
      publish_id: 'pub_1',
      instance_id: 'i',
      at_ms: 1,
    };
    const { liveStreamsTopic } = await import('@millrace/events');
    const { record } = await import('@millrace/eventlog');
    await kit.eventLog.publish([
      record(liveStreamsTopic, { ...common, type: 'StreamEnded', reason: 'encoder-stopped' }),
    ]);
    await wait(500);
    await fetch(video);
    await wait(6_000);
    await fetch(video);
    await wait(1_500);
    expect([said(), viewers()]).toEqual([['joined', 'stream-ended'], undefined]); // gone before anybody was told
  });

  it('with an id that nobody minted plays, and is not counted', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const made = video.replace(sessionOf(video), 'anything');
    expect((await fetch(made)).status).toBe(200);
    await wait(1_500);
    expect(facts).toEqual([]);
    expect(await kit.metric('millrace_delivery_session_refusals_total', { reason: 'bad-id' })).toBe(1);
  });

  it('gets the same bytes and the same validity with CMCD as without', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const plain = await fetch(video);
    const carried = await fetch(`${video}?CMCD=${encodeURIComponent('bl=2000,sid="x"')}`, {
      headers: { 'cmcd-session': 'sid="x",%%%' },
    });
    expect([carried.status, await carried.text()]).toEqual([200, await plain.text()]);
    expect(carried.headers.get('cache-control')).toBe(plain.headers.get('cache-control'));
    expect((await fetch(video, { headers: { 'cmcd-object': '((((' } })).status).toBe(200);
    expect(await kit.metric('millrace_delivery_beacon_drops_total', { reason: 'syntax' })).toBe(1);
  });

  it('may not report without end: bodies, lines, types and rates are bounded', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const path = `/s/${sessionOf(video)}/cmcd`;
    expect((await post(path, 'x'.repeat(70_000))).status).toBe(413);
    expect((await post(path, '{}', 'application/json')).status).toBe(415);
    expect((await post(path, Array(80).fill('e=t,sta=p,v=2').join('\n'))).status).toBe(204);
    expect(beacons).toHaveLength(25);
    const drops = (reason: string) => kit.metric('millrace_delivery_beacon_drops_total', { reason });
    expect([await drops('session-rate'), await drops('too-many')]).toEqual([25, 1]);
    const refusal = await post(path, 'e=t,sta=p,v=2');
    expect([refusal.status, await refusal.json()]).toEqual([
      429,
      expect.objectContaining({ detail: expect.stringContaining('this session') }),
    ]);
    let refused = '';
    for (let i = 0; i < 60 && refused === ''; i++) {
      await wait(1_000); // the session may report again, as slowly as it is allowed to
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => post(path, Array(50).fill('e=t,v=2').join('\n'))),
      );
      for (const answer of answers) {
        const text = await answer.text();
        if (text.includes('this address')) refused = `${answer.status}`;
      }
    }
    expect(refused).toBe('429');
  });

  it('is not told that its reports were taken while there is no room for them', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const path = `/s/${sessionOf(video)}/cmcd`;
    expect((await post(path, 'e=t,sta=p,v=2,sn=1')).status).toBe(204);
    sampleRoom = 1_049; // a thousand are for other words, and a body may have fifty reports
    const answer = await post(path, 'e=t,sta=p,v=2,sn=2');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    await fetch(`${video}?CMCD=${encodeURIComponent('bl=2000,v=2')}`);
    expect(await kit.metric('millrace_delivery_beacon_drops_total', { reason: 'no-room' })).toBe(2);
    sampleRoom = 1_050;
    expect((await post(path, 'e=t,sta=p,v=2,sn=2')).status).toBe(204);
    expect(beacons.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('whose player also reports with every request, twenty a second, has every event heard', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const query = `CMCD=${encodeURIComponent('bl=2000,sid="low-latency",v=2')}`;
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 20; i++) await fetch(`${video}?${query}`);
      await post('/cmcd', `e=t,sta=p,sid="low-latency",v=2,sn=${second}`);
      await wait(1_000);
    }
    const of = (mode: Beacon['mode']) => beacons.filter((beacon) => beacon.mode === mode);
    expect(of('event').map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(of('query').length).toBeLessThan(25 + 10 * 5 - 10);
  });

  it('is answered a preflight for its reports', async () => {
    const response = await fetch(`${kit.origin}/live/${playbackId}/cmcd`, { method: 'OPTIONS' });
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    expect(response.headers.get('access-control-allow-headers')).toContain('Content-Type');
    expect((await fetch(`${kit.origin}/live/${playbackId}/cmcd`)).status).toBe(405);
  });

  it('whose clock is off is given ours', async () => {
    const { video = '' } = await new Player(kit.origin, playbackId).renditions();
    const now = kit.clock.nowMs();
    const path = `/s/${sessionOf(video)}/cmcd`;
    await post(path, `e=t,v=2,ts=${now - 30_000}\ne=t,v=2,ts=${now - 300_000}`);
    expect(beacons.map((beacon) => beacon.at_ms)).toEqual([now - 30_000, now]);
  });
});
