/** Compositions from their submission to their playback, and to their cancel, on the real server. */
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Composition, compositionSchema, type Video } from '@millrace/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../src/browser.ts';
import { eventually } from '../src/eventually.ts';
import { openPlayerPages, type PlayerPages } from '../src/player-pages.ts';
import type { RestClient } from '../src/rest-client.ts';
import { type Standalone, startStandalone } from '../src/standalone.ts';
import { openTestMedia, type TestMedia } from '../src/test-media.ts';
import { VideoClient } from '../src/video-client.ts';
import { playsFor } from '../src/video-player.ts';

let media: TestMedia;
let server: Standalone;
let api: RestClient;
let videos: VideoClient;
let browser: TestBrowser;
let pages: PlayerPages;
let inputs: readonly Video[];
beforeAll(async () => {
  media = await openTestMedia();
  [server, browser, pages] = await Promise.all([startStandalone(), openBrowser(), openPlayerPages()]);
  api = await server.signIn();
  videos = new VideoClient(server.httpUrl, api);
  inputs = await Promise.all(
    ['320x180', '320x180', '160x120'].map(async (size, i) => {
      const video = await videos.create(`part ${i}`);
      await videos.upload(video, await media.video(3, size));
      return videos.until(video, ['completed', 'failed'], 60_000);
    }),
  );
}, 150_000);
afterAll(async () => {
  await pages?.[Symbol.asyncDispose]();
  await browser?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await media?.[Symbol.asyncDispose]();
});

const idOf = (at: number) => inputs[at]?.video_id ?? '';
const get = async (id: string) => compositionSchema.parse(await api.expect('GET', `/compositions/${id}`));

async function until(id: string, statuses: readonly string[]): Promise<Composition> {
  let seen: Composition | undefined;
  await eventually(
    async () => {
      seen = await get(id);
      return statuses.includes(seen.status);
    },
    `${id} is ${statuses.join(' or ')}`,
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(seen)}\n${server.program.stderr().slice(-2_000)}`);
  });
  if (seen === undefined) throw new Error('unreachable');
  return seen;
}

async function filesIn(...path: string[]): Promise<readonly string[]> {
  const entries = await readdir(join(...path), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile() && entry.name !== '.lock').map((entry) => entry.name);
}

it('two videos that are alike and one that is not become one that plays, and the hub tells how far it is', async () => {
  await using watch = await videos.watchJobs();
  const body = { title: 'All', videos: [idOf(0), { video_id: idOf(1), start_ms: 500, end_ms: 2_500 }, idOf(2)] };
  const taken = compositionSchema.parse(await api.expect('POST', '/compositions', body));
  expect(taken).toMatchObject({ status: 'pending', progress: 0, output: null, error: null });
  expect(taken.steps.reduce((sum, step) => sum + step.weight, 0)).toBeCloseTo(100);

  const done = await until(taken.composition_id, ['completed', 'failed']);
  expect(done).toMatchObject({ status: 'completed', progress: 100, error: null, cancelling: false });
  expect(done.output?.duration_ms).toBe(8_000);
  expect(done.steps.map(({ status }) => status)).toEqual(done.steps.map(() => 'completed'));
  await eventually(() => watch.of(taken.composition_id).at(-1)?.status === 'completed', 'the hub says that it is done');
  const progress = watch.of(taken.composition_id).map((job) => job.progress);
  expect(progress).toEqual([...progress].sort((x, y) => x - y));

  const video = await videos.get({ video_id: done.output?.video_id ?? '' });
  expect(video).toMatchObject({ origin: 'composition', status: 'completed', playback: { complete: true } });
  expect(video.playback?.hls_url).toBe(done.output?.hls_url);
  const base = `${server.httpUrl}/vod/${video.playback_id}`;
  const [hls, dash] = await Promise.all([
    browser.open(pages.pageUrl('hls', `${base}/index.m3u8`, `${base}/cmcd`)),
    browser.open(pages.pageUrl('dash', `${base}/index.mpd`, `${base}/cmcd`)),
  ]);
  for (const player of await Promise.all([playsFor(hls.page, 2), playsFor(dash.page, 2)])) {
    expect(player.error).toBeUndefined();
    expect(player.videoWidth).toBe(320);
    expect(Math.abs((player.duration ?? 0) - 8)).toBeLessThan(0.1);
  }
  await Promise.all([hls.page.close(), dash.page.close()]);
  const words = execFileSync('sh', ['-c', 'ffmpeg -v warning -i "$0" -f null - 2>&1', `${base}/video.mp4`]);
  expect(words.toString()).toBe('');
  expect((await fetch(`${base}/poster.jpg`)).headers.get('content-type')).toBe('image/jpeg');
  expect(await filesIn(server.dataDir, 'scratch')).toEqual([]);
}, 120_000);

it('what cannot be joined is refused with every reason, before anything is begun', async () => {
  const nobody = `vid_${'0'.repeat(26)}`;
  const few = await api.call('POST', '/compositions', { videos: [idOf(0)] });
  expect(few).toMatchObject({ status: 422, body: { type: '/problems/composition-refused' } });
  const wrong = await api.call('POST', '/compositions', {
    videos: [nobody, { video_id: idOf(0), start_ms: 0, end_ms: 99_000 }, idOf(1)],
  });
  expect(wrong.status).toBe(422);
  expect(wrong.body['errors']).toMatchObject([{ path: 'body.videos[0]', got: nobody }, { path: 'body.videos[1]' }]);
}, 30_000);

it('a cancel ends it while it runs, is refused with the state after that, and leaves no file', async () => {
  const body = {
    videos: [idOf(0), idOf(1), idOf(2), idOf(0)],
    target: { width: 1_920, height: 1_080, frames_per_second: 60 },
  };
  const { composition_id: id } = compositionSchema.parse(await api.expect('POST', '/compositions', body));
  await eventually(async () => (await filesIn(server.dataDir, 'scratch')).length > 0, 'it encodes', 30_000);
  const askedMs = Date.now();
  expect(await api.call('POST', `/compositions/${id}/cancel`)).toMatchObject({ status: 202 });
  const ended = await until(id, ['cancelled', 'completed']);
  expect(ended).toMatchObject({ status: 'cancelled', output: null });
  expect(Date.now() - askedMs).toBeLessThan(5_000);
  const again = await api.call('POST', `/compositions/${id}/cancel`);
  expect(again).toMatchObject({ status: 409, body: { type: '/problems/composition-ended' } });
  expect(String(again.body['detail'])).toContain('is cancelled');
  await eventually(
    async () =>
      [...(await filesIn(server.dataDir, 'scratch')), ...(await filesIn(server.dataDir, 'media', 'work'))].length === 0,
    'its files are gone',
  );
}, 60_000);
