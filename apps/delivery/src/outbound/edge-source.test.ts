import { afterEach, describe, expect, it } from 'vitest';
import { kitServiceToken } from '../../test/delivery-kit.ts';
import { type EdgeKit, openEdgeKit, openInternal } from '../../test/edge-kit.ts';
import { playedBroadcast } from '../../test/played-broadcast.ts';
import { urisOf } from '../../test/player.ts';
import { SyntheticBroadcast, type SyntheticOptions } from '../../test/synthetic-broadcast.ts';

let kit: EdgeKit;
afterEach(() => kit[Symbol.asyncDispose]());

const broadcast = (parts?: number, options?: Partial<SyntheticOptions>) => playedBroadcast(kit, parts, options);

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (await done()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`expected: ${what}`);
}

const upstream = (resource: string) => kit.edgeMetric('millrace_delivery_upstream_requests_total', { resource });
const untilWaiting = (count: number) =>
  until(async () => (await kit.metric('millrace_delivery_waiting_requests')) === count, `${count} held requests`);

/** Lets time pass until `done`, each step when nothing travels any more: all that the edge asks is held by the origin. */
async function whileTimePasses<T>(done: Promise<T>, mostMs: number): Promise<T> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  done.then(mark, mark);
  const isQuiet = async () => {
    const asked = await kit.edgeMetric('millrace_delivery_upstream_running_requests');
    return settled || asked === (await kit.originMetric('millrace_delivery_waiting_requests'));
  };
  for (let ms = 0; ms < mostMs && !settled; ms += 125) {
    await until(isQuiet, 'nothing travels');
    await kit.clock.advance(125);
    for (let i = 0; i < 20 && !settled; i++) await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

describe('an edge', () => {
  it('asks once for all who wait for the same part, whatever encoding they take', async () => {
    kit = await openEdgeKit();
    const { player, live } = await broadcast();
    const { url, text } = await player.playlist('video');
    const { segment, part } = live.next('video');
    const hint = urisOf(url, text).hint ?? '';
    const before = [await upstream('playlist'), await upstream('part')];
    const answers = Array.from({ length: 100 }, async (_, i) => {
      const headers = { 'accept-encoding': i % 2 === 0 ? 'gzip' : 'identity' };
      const answer = await fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`, { headers });
      return [await answer.text(), answer.headers.get('cache-control')].join();
    });
    const media = Array.from({ length: 100 }, async () => (await fetch(hint)).text());
    await untilWaiting(200);
    await live.part('video');
    expect(new Set(await Promise.all(answers)).size).toBe(1);
    expect(await answers[0]).toMatch(/public, max-age=12$/);
    expect(new Set(await Promise.all(media)).size).toBe(1);
    expect([await upstream('playlist'), await upstream('part')]).toEqual(before.map((count) => count + 1));
    const collapsed = await kit.edgeMetric('millrace_delivery_edge_collapsed_requests_total');
    expect(collapsed).toBeGreaterThanOrEqual(198);
    // Who comes late gets what the others got, without asking the origin again.
    await fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
    await fetch(hint);
    expect([await upstream('playlist'), await upstream('part')]).toEqual(before.map((count) => count + 1));
  });

  it('keeps delta updates and whole playlists apart', async () => {
    kit = await openEdgeKit();
    const { player, live } = await broadcast(95);
    const { url } = await player.playlist('video');
    const { segment, part } = live.next('video');
    const query = `${url}?_HLS_msn=${segment}&_HLS_part=${part}`;
    const [whole, delta] = [fetch(query), fetch(`${query}&_HLS_skip=YES`)];
    await untilWaiting(2);
    await live.part('video');
    expect(await (await whole).text()).not.toContain('EXT-X-SKIP');
    expect(await (await delta).text()).toContain('EXT-X-SKIP');
  });

  it('goes on for the others when a viewer leaves, and calls the origin off when the last one has', async () => {
    kit = await openEdgeKit();
    const { player, live } = await broadcast();
    const { url } = await player.playlist('video');
    const { segment, part } = live.next('video');
    const query = `${url}?_HLS_msn=${segment}&_HLS_part=${part}`;
    const [leaver, other] = [new AbortController(), new AbortController()];
    const left = fetch(query, { signal: leaver.signal }).catch(() => undefined);
    const stays = fetch(query, { signal: other.signal });
    await untilWaiting(2);
    leaver.abort();
    await left;
    await untilWaiting(1);
    await live.part('video');
    expect((await stays).status).toBe(200);
    const last = new AbortController();
    const next = live.next('video');
    const gone = fetch(`${url}?_HLS_msn=${next.segment}&_HLS_part=${next.part}`, { signal: last.signal }).catch(
      () => 0,
    );
    await untilWaiting(1);
    last.abort();
    await gone;
    const held = () => kit.originMetric('millrace_delivery_waiting_requests');
    await until(async () => (await held()) === 0, 'the origin holds nothing');
    expect(await kit.edgeMetric('millrace_delivery_upstream_errors_total', { reason: 'cancelled' })).toBe(1);
  });

  it('answers those who wait again when a stream becomes private, and when it is deleted', async () => {
    kit = await openEdgeKit();
    const { player, live, streamId } = await broadcast();
    const { url } = await player.playlist('video');
    const { segment, part } = live.next('video');
    const query = `${url}?_HLS_msn=${segment}&_HLS_part=${part}`;
    const waiting = fetch(query);
    await untilWaiting(1);
    await kit.redefine(streamId, { visibility: 'private' });
    expect((await waiting).status).toBe(403);
    expect((await fetch(urisOf(url, '').hint ?? url)).status).toBe(403);
    await kit.redefine(streamId, { visibility: 'public' });
    const again = fetch(query);
    await untilWaiting(1);
    await kit.redefine(streamId, undefined);
    expect((await again).status).toBe(404);
  });

  it('keeps media within its memory, answers again from it, and says how old a copy is', async () => {
    kit = await openEdgeKit({ DELIVERY_EDGE_CACHE_MB: '1' });
    const { player } = await broadcast(30, { partBytes: 100_000 });
    const { url, text } = await player.playlist('video');
    const { parts } = urisOf(url, text);
    for (const part of parts) expect((await fetch(part)).status).toBe(200);
    const cached = await kit.edgeMetric('millrace_delivery_edge_cache_bytes');
    expect(cached).toBeGreaterThan(800_000);
    expect(cached).toBeLessThanOrEqual(1024 * 1024);
    const asked = await upstream('part');
    await kit.clock.advance(4_000);
    const again = await fetch(parts.at(-1) ?? '');
    expect(again.headers.get('age')).toBe('4');
    expect(again.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const range = await fetch(parts.at(-1) ?? '', { headers: { range: 'bytes=0-4' } });
    expect([range.status, await range.text()]).toEqual([206, 'video']);
    expect(await upstream('part')).toBe(asked);
    await fetch(parts[0] ?? '');
    expect(await upstream('part')).toBe(asked + 1);
  });

  it('remembers for a second that a file does not exist', async () => {
    kit = await openEdgeKit();
    const { player } = await broadcast();
    const { url, text } = await player.playlist('video');
    const missing = (urisOf(url, text).parts[0] ?? '').replace(/-\d+\./, '-999.');
    const ask = async () => {
      const answer = await fetch(missing);
      return [answer.status, answer.headers.get('cache-control')];
    };
    for (let i = 0; i < 5; i++) expect(await ask()).toEqual([404, 'max-age=1']);
    expect(await upstream('part')).toBe(1);
    await kit.clock.advance(1_000);
    await ask();
    expect(await upstream('part')).toBe(2);
  });

  it('holds viewers whose origin dies until the stream goes on at the other, and asks the dead one ever less', async () => {
    kit = await openEdgeKit({}, { twoOrigins: true });
    const { player, live, streamId } = await broadcast();
    const { url } = await player.playlist('video');
    const { segment, part } = live.next('video');
    const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
    await untilWaiting(1);
    await kit.internal[Symbol.asyncDispose]();
    const second = kit.second;
    if (second === undefined) throw new Error('expected a second origin');
    const next = new SyntheticBroadcast(second.writer, { streamId, epoch: 2 });
    await kit.clock.advance(4_000); // numbers begin with the clock: above those of the first window
    await next.start();
    await next.parts(12);
    const answer = await whileTimePasses(waiting, 10_000);
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain(`#EXT-X-MEDIA-SEQUENCE:${next.next('video').segment - 1}`);
    expect((await fetch(urisOf(url, text).parts[0] ?? '')).status).toBe(200);
    expect(await kit.edgeMetric('millrace_delivery_origin_moves_total')).toBe(1);
    expect(await kit.edgeMetric('millrace_delivery_origins_away')).toBeLessThanOrEqual(1);
  });

  it('finds a stream that goes on elsewhere though its first origin lives and stands still', async () => {
    kit = await openEdgeKit({}, { twoOrigins: true });
    const { player, live, streamId } = await broadcast();
    const { url } = await player.playlist('video');
    const next = new SyntheticBroadcast(kit.second?.writer ?? kit.service.writer, { streamId, epoch: 2 });
    await kit.clock.advance(4_000); // numbers begin with the clock: above those of the first window
    await next.start();
    await next.parts(12);
    const { segment, part } = live.next('video');
    const waiting = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
    await untilWaiting(1);
    const answer = await whileTimePasses(waiting, 10_000);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining(`#EXT-X-MEDIA-SEQUENCE:${next.next('video').segment - 1}`),
    ]);
  });

  it('says 503 while no origin answers, and plays again when one is back', async () => {
    kit = await openEdgeKit();
    const { player, live } = await broadcast();
    const { port } = kit.internal;
    await kit.internal[Symbol.asyncDispose]();
    const refused = await fetch(player.entry);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ type: '/problems/origin-away' });
    await using back = await openInternal(kit.originService, port);
    expect(back.port).toBe(port);
    await kit.clock.advance(4_000);
    await live.part('video');
    expect((await fetch(player.entry)).status).toBe(200);
  });

  it('passes playlists on byte for byte, and takes nobody else in without the service token', async () => {
    kit = await openEdgeKit();
    const { player, streamId } = await broadcast();
    const { text } = await player.playlist('video');
    const internal = `http://127.0.0.1:${kit.internal.port}/internal/v1/playback/${streamId}/video/index.m3u8`;
    const authorization = `Bearer ${kitServiceToken}`;
    const raw = await fetch(internal, { headers: { authorization, 'accept-encoding': 'identity' } });
    expect(await raw.text()).toBe(text);
    expect((await fetch(internal)).status).toBe(401);
    const open = await kit.service.writer.standing(streamId);
    expect(open).toMatchObject({ ok: true, value: { kind: 'live' } });
    expect(await kit.edge.writer.standing(streamId)).toMatchObject({ ok: false, error: { kind: 'not-open' } });
  });
});
