import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAudienceReader } from '../src/audience-reader.ts';
import { type Cluster, type ClusterProcess, startCluster } from '../src/cluster.ts';
import { eventually } from '../src/eventually.ts';
import { readMetrics } from '../src/metrics-text.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import { openScriptedViewers } from '../src/scripted-viewers.ts';
import { type FollowedRendition, followStream } from '../src/stream-follower.ts';

let cluster: Cluster;
let origins: ClusterProcess[];
let edges: ClusterProcess[];

beforeAll(async () => {
  cluster = await startCluster();
  origins = [cluster.delivery, await cluster.startDelivery('delivery-2')];
  edges = await Promise.all(['edge-1', 'edge-2'].map((name) => cluster.startDelivery(name, origins)));
  await cluster.startWorker('worker-1', origins);
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** The sum of a metric's samples at a process. */
async function metric({ internalUrl }: ClusterProcess, name: string): Promise<number> {
  const found = readMetrics(await (await fetch(`${internalUrl}/metrics`)).text()).find((entry) => entry.name === name);
  return found?.samples.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

/** The origin that has parts of a stream, and the other. */
async function standing(): Promise<{ home: ClusterProcess; other: ClusterProcess }> {
  const parts = await Promise.all(origins.map((origin) => metric(origin, 'millrace_delivery_parts_total')));
  const at = (parts[0] ?? 0) > (parts[1] ?? 0) ? 0 : 1;
  const [home, other] = [origins[at], origins[1 - at]];
  if (home === undefined || other === undefined) throw new Error('expected two origins');
  return { home, other };
}

describe('two origins and two edges', () => {
  it('play a stream through either edge, and a stream whose origin or edge is killed goes on', async () => {
    const stream = await cluster.api.createStream('Through edges');
    const url = `rtmp://127.0.0.1:${cluster.rtmpPort}/live/${stream.key}`;
    await using encoder = pushWithFfmpeg({ url, video: { size: '320x180', fps: 30, gopS: 1 } });
    const [first, second] = edges.map((edge) => `${edge.httpUrl}/live/${stream.playbackId}/index.m3u8`);
    await using one = await followStream(first ?? '');
    await using two = await followStream(second ?? '');
    await using three = await followStream(first ?? '');
    const edgeUrls = edges.map(({ httpUrl }) => httpUrl);
    await using crowd = openScriptedViewers(`/live/${stream.playbackId}/index.m3u8`, edgeUrls);
    await using audience = await openAudienceReader(cluster.databaseUrl);
    const counted = async (expected: number, what: string) => {
      const tookMs = await eventually(
        () => audience.viewers(stream.id) === expected,
        `${expected} viewers: ${what}`,
        15_000,
      ).catch((error: unknown) => {
        throw new Error(
          `${String(error)}, got ${JSON.stringify(audience.counts(stream.id))} ${JSON.stringify([one, two, three].map((f) => [f.mistakes(), f.rendition('video').playlists.length]))}`,
        );
      });
      console.log(`${what}: ${expected} viewers counted after ${Math.round(tookMs)} ms`);
    };
    await crowd.join(40, edgeUrls[0] ?? '');
    await crowd.join(30, edgeUrls[1] ?? '');
    await counted(73, 'seventy have joined three');
    await eventually(() => two.rendition('video').playlists.length > 15, 'the stream is listed');
    await two.stop();
    crowd.leave(12);
    expect([...one.mistakes(), ...two.mistakes()]).toEqual([]);
    expect(one.rendition('video').parts.size).toBeGreaterThan(10);

    const { home, other } = await standing();
    expect(await metric(other, 'millrace_delivery_parts_total')).toBe(0);
    const asked = await metric(home, 'millrace_delivery_edge_responses_total');
    const served = await Promise.all(edges.map((edge) => metric(edge, 'millrace_delivery_responses_total')));
    console.log(`three viewers at two edges: ${asked} requests at the origin for ${served.join(' + ')} at the edges`);
    expect(await metric(edges[0] as ClusterProcess, 'millrace_delivery_edge_collapsed_requests_total')).toBeGreaterThan(
      5,
    );
    expect(await metric(home, 'millrace_delivery_sessions_minted_total')).toBe(0);

    await counted(60, 'thirteen have left');

    // One edge dies: viewers of the other do not notice.
    await (edges[1] as ClusterProcess).program.stop('SIGKILL');
    const atEdgeDeath = performance.now();
    const before = one.rendition('video').playlists.length;
    await eventually(() => one.rendition('video').playlists.length > before + 10, 'the other edge goes on');
    expect(longestGapMs(one.rendition('video'), atEdgeDeath)).toBeLessThan(6_000);
    expect(one.mistakes()).toEqual([]);
    await counted(60, 'the viewers of the dead edge are at the other');

    // The origin dies: the next epoch opens at the other, and the edge goes there.
    const killedMs = performance.now();
    await home.program.stop('SIGKILL');
    const listed = one.rendition('video').playlists.length;
    await eventually(() => one.rendition('video').playlists.length > listed + 15, 'the stream goes on', 20_000);
    const gapMs = longestGapMs(one.rendition('video'), killedMs);
    console.log(`origin killed: playlists stood still for ${Math.round(gapMs)} ms`);
    expect(gapMs).toBeLessThan(12_000);
    expect(one.mistakes().filter((mistake) => mistake.includes('following ended'))).toEqual([]);
    expect(three.mistakes().filter((mistake) => mistake.includes('following ended'))).toEqual([]);
    await counted(60, 'the origin has died');
    await using after = await followStream(first ?? '');
    await eventually(() => after.rendition('video').playlists.length > 8, 'a new viewer plays');
    await after.stop();
    expect(after.mistakes()).toEqual([]);
    expect(encoder.running).toBe(true);
    expect(await metric(other, 'millrace_delivery_parts_total')).toBeGreaterThan(20);
    await one.stop();
    await three.stop();
  }, 90_000);
});

/** Longest time between two new playlists from shortly before `atMs` on. */
function longestGapMs({ arrivalsMs }: FollowedRendition, atMs: number): number {
  const around = arrivalsMs.filter((arrival) => arrival > atMs - 1_000);
  return Math.max(...around.slice(1).map((arrival, i) => arrival - (around[i] ?? arrival)));
}
