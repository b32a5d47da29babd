import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { eventually } from '../src/eventually.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import { decodeWithFfmpeg } from '../src/second-player.ts';
import { type FollowedRendition, followStream } from '../src/stream-follower.ts';
import { parseWithMp4box, timeBreaks } from '../src/third-parsers.ts';

describe('services that run as processes of their own', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('a worker is killed with kill -9: another goes on within 2 s, and viewers see no gap and no repeat', async () => {
    const first = await cluster.startWorker('worker-1');
    const stream = await cluster.api.createStream('Handed over');
    const url = `rtmp://127.0.0.1:${cluster.rtmpPort}/live/${stream.key}`;
    await using encoder = pushWithFfmpeg({ url, video: { size: '320x180', fps: 30, gopS: 2, bframes: 2 } });
    await using followed = await followStream(`${cluster.delivery.httpUrl}/live/${stream.playbackId}/index.m3u8`);
    const video = followed.rendition('video');
    await eventually(() => video.playlists.length > 15, 'the stream is listed');
    await cluster.startWorker('worker-2');
    await eventually(() => video.playlists.length > 25, 'the stream is listed');

    const killedMs = performance.now();
    first.program.process.kill('SIGKILL');
    const before = video.playlists.length;
    await eventually(() => video.playlists.length > before + 2, 'another worker goes on');
    const gapMs = longestGapMs(video, killedMs);
    const { warnings } = await decodeWithFfmpeg(`${cluster.delivery.httpUrl}/live/${stream.playbackId}/index.m3u8`, 4);
    await followed.stop();
    console.log(`kill -9 of the worker: parts stood still for ${Math.round(gapMs)} ms`);

    expect(encoder.running).toBe(true);
    expect(gapMs).toBeLessThan(2_000);
    expect(warnings).toEqual([]);
    expect(followed.mistakes()).toEqual([]);
    for (const rendition of followed.renditions) {
      const last = rendition.playlists.at(-1);
      expect(last?.segments.some(({ discontinuity, gap }) => discontinuity || gap)).toBe(false);
      const numbers = last?.segments.map(({ number }) => number) ?? [];
      expect(numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1)).toBe(true);
      expect(rendition.inits.size).toBe(1);
      const [init] = rendition.inits.values();
      const { fragments } = parseWithMp4box(init ?? new Uint8Array(), [...rendition.parts.values()]);
      expect(fragments.length).toBeGreaterThan(20);
      expect(timeBreaks(fragments)).toEqual([]);
    }
  });

  it('metrics and health are on every internal listener', async () => {
    const { internalUrl } = cluster.delivery;
    expect((await fetch(`${internalUrl}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${internalUrl}/metrics`)).text()).toContain('millrace_delivery_');
    const { streamId } = { streamId: 'str_01jd0000000000000000000001' };
    const refused = await fetch(`${internalUrl}/internal/v1/live/${streamId}/1`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(401);
  });
});

/** Longest time between two new playlists around `atMs`. */
function longestGapMs({ arrivalsMs }: FollowedRendition, atMs: number): number {
  const around = arrivalsMs.filter((arrival) => arrival > atMs - 1_000);
  return Math.max(...around.slice(1).map((arrival, i) => arrival - (around[i] ?? arrival)));
}
