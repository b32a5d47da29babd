import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../src/browser.ts';
import { type ChildProgram } from '../src/child-program.ts';
import { eventually } from '../src/eventually.ts';
import { nextPart } from '../src/playlist-text.ts';
import { pushClock } from '../src/publishers.ts';
import type { RestClient, TestStream } from '../src/rest-client.ts';
import { decodeWithFfmpeg } from '../src/second-player.ts';
import { type FollowedStream, followStream } from '../src/stream-follower.ts';
import { startTarget, type Target } from '../src/target.ts';
import { parseWithMp4box, timeBreaks } from '../src/third-parsers.ts';
import { percentile, watchLatency } from '../src/watch-latency.ts';

describe('a stream that is live', () => {
  let server: Target;
  let api: RestClient;
  let stream: TestStream;
  let encoder: ChildProgram;
  let followed: FollowedStream;

  beforeAll(async () => {
    server = await startTarget();
    api = await server.signIn();
    stream = await api.createStream('A clock');
    const push = () => pushClock({ url: server.publishUrl(stream) });
    encoder = push();
    // A key is refused until ingest has heard of it, which takes long on a busy machine; encoders try again.
    await eventually(
      async () => {
        if (!encoder.running) {
          console.log(`the encoder ended: ${encoder.stderr().slice(-300)}`);
          encoder = push();
        }
        return (await fetch(server.hlsUrl(stream))).ok;
      },
      'the stream is playable',
      60_000,
    );
    followed = await followStream(server.hlsUrl(stream));
  }, 240_000);
  afterAll(async () => {
    await followed?.[Symbol.asyncDispose]();
    await encoder?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('is shown as live, with health, within 3 s', async () => {
    await eventually(async () => (await api.stateOf(stream)) === 'live', 'the state is live', 15_000);
    await eventually(
      async () => (await api.expect('GET', `/streams/${stream.id}`))['health'] !== null,
      'a health sample',
      3_000,
    );
  });

  // The only test that measures how fast a whole machine is: once more if that was busy with something else.
  it('plays on its watch page in Chromium about a second behind, every frame, without a stall', {
    retry: 1,
  }, async () => {
    await using browser = await openBrowser();
    const { page, problems } = await browser.open(`${server.httpUrl}/watch/${stream.playbackId}`);
    const watch = await watchLatency(page);
    await page.waitForTimeout(14_000);
    const report = await watch.report();
    const settledMs = (report.frames[0]?.atMs ?? 0) + 5_000;
    const settled = report.frames.filter(({ atMs }) => atMs > settledMs);
    const stalls = report.stallsMs.filter((atMs) => atMs > settledMs);
    const latencies = settled.flatMap(({ latencyMs }) => latencyMs ?? []);
    console.log(
      `watch page: first frame ${Math.round(report.firstFrameMs ?? 0)} ms, ${settled.length} frames, latency p50 ` +
        `${percentile(latencies, 0.5)} ms, p95 ${percentile(latencies, 0.95)} ms, ${stalls.length} stalls`,
    );
    expect(problems).toEqual([]);
    expect(stalls).toEqual([]);
    expect(report.firstFrameMs).toBeLessThan(5_000);
    // 30 a second for 8 s, less what a busy machine does not present.
    expect(settled.length).toBeGreaterThan(150);
    expect(latencies.length / settled.length).toBeGreaterThan(0.95);
    const times = settled.map(({ mediaTimeS }) => mediaTimeS);
    expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0))).toBe(true);
    expect(percentile(latencies, 0.5)).toBeGreaterThan(200);
    expect(percentile(latencies, 0.5)).toBeLessThan(1_200);
    expect(percentile(latencies, 0.95)).toBeLessThan(1_800);
  });

  it('plays under every name of the server, not only the one in PUBLIC_URL', async () => {
    await using browser = await openBrowser();
    const { hostname, port } = new URL(server.httpUrl);
    expect(hostname).toBe('localhost');
    const { page, problems } = await browser.open(`http://127.0.0.1:${port}/watch/${stream.playbackId}`);
    const watch = await watchLatency(page);
    await eventually(async () => (await watch.report()).frames.length > 10, 'frames are shown', 15_000);
    expect(problems).toEqual([]);
  });

  it('is decoded by ffmpeg without a warning', async () => {
    const { warnings, videoFrames } = await decodeWithFfmpeg(server.hlsUrl(stream), 5);
    expect(warnings).toEqual([]);
    expect(videoFrames).toBeGreaterThan(100);
  });

  it('answers blocking reloads by the rules: 400 for what cannot come, 404 for what never was', async () => {
    const url = followed.rendition('video').url;
    const playlist = followed.rendition('video').playlists.at(-1);
    if (playlist === undefined) throw new Error('nothing was followed');
    const { msn } = nextPart(playlist);
    const ask = async (query: string) => (await fetch(`${url}?${query}`)).status;
    expect(await ask('_HLS_part=1')).toBe(400);
    expect(await ask(`_HLS_msn=${msn + 50}`)).toBe(400);
    expect(await ask(`_HLS_msn=${msn + 1}&_HLS_part=999`)).toBe(400);
    expect(await ask('_HLS_msn=nonsense')).toBe(400);
    expect(await ask(`_HLS_msn=${msn - 1}`)).toBe(200);
    expect((await fetch(new URL('no-such-media.m4s', url))).status).toBe(404);
    expect((await fetch(`${server.httpUrl}/live/play_00000000000000000000000000/index.m3u8`)).status).toBe(404);
  });

  it('holds a request for the hinted part open and answers with all of it', async () => {
    const video = followed.rendition('video');
    const text = await (await fetch(video.url)).text();
    const hint = /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1] ?? '';
    const answer = await fetch(new URL(hint, video.url));
    expect(answer.status).toBe(200);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const key = new URL(hint, video.url).href;
    await eventually(() => video.parts.has(key), 'the follower has the same part');
    expect(Buffer.compare(bytes, video.parts.get(key) ?? new Uint8Array())).toBe(0);
  });

  it('serves the same bytes to everybody, compressed and not, and lets other origins read', async () => {
    const { url } = followed.rendition('video');
    const [plain, packed] = await Promise.all([
      fetch(url, { headers: { 'accept-encoding': 'identity', origin: 'http://elsewhere' } }),
      fetch(url, { headers: { 'accept-encoding': 'gzip', origin: 'http://elsewhere' } }),
    ]);
    expect(plain.headers.get('access-control-allow-origin')).toBe('*');
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('content-type')).toMatch(/mpegurl/i);
    const paths = (text: string) => [...text.matchAll(/URI="([^"]+)"/g)].map((match) => match[1]);
    const [first, second] = [paths(await plain.text()), paths(await packed.text())];
    expect(first.filter((path) => second.includes(path)).length).toBeGreaterThan(5);
    expect(first.join()).not.toContain(stream.id);
    expect(first.join()).not.toContain(stream.key);
  });

  it('kept every rule for playlists in every reload, and its media is what it says', async () => {
    await followed.stop();
    expect(followed.mistakes()).toEqual([]);
    for (const rendition of followed.renditions) {
      expect(rendition.playlists.length).toBeGreaterThan(50);
      const [init] = rendition.inits.values();
      const parts = parseWithMp4box(init ?? new Uint8Array(), [...rendition.parts.values()]);
      expect(parts.kind).toBe(rendition.name);
      expect(timeBreaks(parts.fragments)).toEqual([]);
      const segments = parseWithMp4box(init ?? new Uint8Array(), [...rendition.segments.values()]);
      expect(timeBreaks(segments.fragments)).toEqual([]);
      // A segment is its parts, byte for byte.
      const whole = Buffer.concat([...rendition.segments.values()].slice(-3));
      expect(Buffer.concat([...rendition.parts.values()]).includes(whole)).toBe(true);
    }
    const cadence = followed.rendition('video').arrivalsMs.slice(5);
    const gaps = cadence.slice(1).map((at, i) => at - (cadence[i] ?? at));
    console.log(
      `parts arrive every ${Math.round(percentile(gaps, 0.5))} ms, p99 ${Math.round(percentile(gaps, 0.99))} ms`,
    );
    expect(percentile(gaps, 0.9)).toBeLessThan(600);
  });
});
