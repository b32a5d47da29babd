import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { eventually } from '../src/eventually.ts';
import { readMetrics } from '../src/metrics-text.ts';
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

  // A killed process closes its connections; one that stands still does not, and only its silence gives it away.
  it.each([
    { signal: 'SIGKILL', how: 'is killed' },
    { signal: 'SIGSTOP', how: 'stands still' },
  ] as const)('a worker $how: another goes on, and viewers see no gap and no repeat', async ({ signal, how }) => {
    const first = await cluster.startWorker(`worker-${how.replace(' ', '-')}`);
    const stream = await cluster.api.createStream(`A worker ${how}`);
    const url = `rtmp://127.0.0.1:${cluster.rtmpPort}/live/${stream.key}`;
    await using encoder = pushWithFfmpeg({ url, video: { size: '320x180', fps: 30, gopS: 2, bframes: 2 } });
    await using followed = await followStream(`${cluster.delivery.httpUrl}/live/${stream.playbackId}/index.m3u8`);
    const video = followed.rendition('video');
    await eventually(() => video.playlists.length > 15, 'the stream is listed');
    const second = await cluster.startWorker(`worker-after-${how.replace(' ', '-')}`);
    await eventually(() => video.playlists.length > 25, 'the stream is listed');

    const killedMs = performance.now();
    first.program.process.kill(signal);
    const before = video.playlists.length;
    await eventually(() => video.playlists.length > before + 4, 'another worker goes on');
    first.program.process.kill('SIGCONT');
    const { warnings } = await decodeWithFfmpeg(`${cluster.delivery.httpUrl}/live/${stream.playbackId}/index.m3u8`, 4);
    await followed.stop();
    const gapMs = longestGapMs(video, killedMs);
    console.log(`a worker ${how}: parts stood still for ${Math.round(gapMs)} ms`);

    expect(encoder.running).toBe(true);
    expect(gapMs).toBeLessThan(8_000);
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
    // The next case begins without workers.
    for (const worker of [first, second]) await worker.program.stop('SIGKILL');
  });

  it('metrics and health are on every internal listener', async () => {
    const { internalUrl } = cluster.delivery;
    expect((await fetch(`${internalUrl}/healthz`)).status).toBe(200);
    const written = readMetrics(await (await fetch(`${internalUrl}/metrics`)).text());
    const parts = written.find(({ name }) => name === 'millrace_delivery_window_write_events_total');
    expect(parts?.samples.find(({ labels }) => labels['reason'] === 'part')?.value).toBeGreaterThan(50);
    const claimed = readMetrics(await (await fetch(`${cluster.ingest.internalUrl}/metrics`)).text());
    const claims = claimed.find(({ name }) => name === 'millrace_ingest_source_claim_events_total');
    for (const reason of ['worker-disconnected', 'worker-silent']) {
      expect(claims?.samples.find(({ labels }) => labels['reason'] === reason)?.value, reason).toBeGreaterThan(0);
    }
    const { streamId } = { streamId: 'str_01jd0000000000000000000001' };
    const refused = await fetch(`${internalUrl}/internal/v1/live/${streamId}/1`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(401);
  });

  it('delivery is killed and started again: the stream goes on by itself in a new list', async () => {
    const worker = await cluster.startWorker('worker-patient');
    const stream = await cluster.api.createStream('Filled again');
    const url = `rtmp://127.0.0.1:${cluster.rtmpPort}/live/${stream.key}`;
    await using encoder = pushWithFfmpeg({ url, video: { size: '320x180', fps: 30, gopS: 1 } });
    const hlsUrl = `${cluster.delivery.httpUrl}/live/${stream.playbackId}/index.m3u8`;
    await using before = await followStream(hlsUrl);
    await eventually(() => before.rendition('video').playlists.length > 10, 'the stream is listed');
    await before.stop();
    await cluster.restart(cluster.delivery);
    const backMs = performance.now();
    await using after = await followStream(hlsUrl);
    await eventually(() => after.rendition('video').playlists.length > 10, 'the stream is listed again');
    console.log(`delivery killed: playable ${Math.round(performance.now() - backMs)} ms after it was back`);
    await after.stop();
    expect(encoder.running).toBe(true);
    expect(after.mistakes()).toEqual([]);
    await worker.program.stop('SIGKILL');
  });

  it('an ingest is killed: its broadcasts are over for everybody after 10 s', async () => {
    await cluster.startWorker('worker-last');
    const stream = await cluster.api.createStream('Lost');
    const url = `rtmp://127.0.0.1:${cluster.rtmpPort}/live/${stream.key}`;
    await using encoder = pushWithFfmpeg({ url, video: { size: '320x180', fps: 30, gopS: 1 } });
    await eventually(async () => (await cluster.api.stateOf(stream)) === 'live', 'the state is live');
    cluster.ingest.program.process.kill('SIGKILL');
    const tookMs = await eventually(
      async () => (await cluster.api.stateOf(stream)) === 'idle',
      'the state is idle',
      20_000,
    );
    console.log(`ingest killed: its streams ended after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeGreaterThan(5_000);
    expect(encoder.running).toBe(false);
  });
});

/** Longest time between two new playlists around `atMs`. */
function longestGapMs({ arrivalsMs }: FollowedRendition, atMs: number): number {
  const around = arrivalsMs.filter((arrival) => arrival > atMs - 1_000);
  return Math.max(...around.slice(1).map((arrival, i) => arrival - (around[i] ?? arrival)));
}
