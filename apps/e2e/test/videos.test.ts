/** Videos from their upload to their end, and through a kill -9 in the middle of their processing. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image, Video } from '@millrace/api';
import { systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { silentLogger } from '@millrace/log';
import { type MediaStore, mediaStoreSettings, openMediaStore } from '@millrace/media-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// The S3 server is started as every other program that tests need.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { type S3Server, s3Settings, startS3Server } from '../../../tools/s3/s3-server.ts';
import { openBrowser, type TestBrowser } from '../src/browser.ts';
import { type Cluster, type ClusterProcess, startCluster } from '../src/cluster.ts';
import { eventually } from '../src/eventually.ts';
import { startHaltingServer } from '../src/halting-server.ts';
import { openPlayerPages, type PlayerPages } from '../src/player-pages.ts';
import { runningProcesses } from '../src/processes.ts';
import type { RestClient } from '../src/rest-client.ts';
import { type Standalone, startStandalone } from '../src/standalone.ts';
import { openTestMedia, type TestMedia } from '../src/test-media.ts';
import { VideoClient } from '../src/video-client.ts';
import { playsFor, shownVideo } from '../src/video-player.ts';

const spoken = 'Good morning and welcome to the meeting. The sun is shining and the water is warm.';
const mib = 1024 * 1024;
/** Imports from servers of tests. */
const loopbackAllowed = { PROGRESS_ALLOW_NETWORKS: '127.0.0.1' };
const steps = ['probe', 'audio', 'subtitles', 'poster', 'ladder', 'publish'];

let media: TestMedia;
beforeAll(async () => {
  media = await openTestMedia();
});
afterAll(() => media[Symbol.asyncDispose]());

/** Files below a folder, without the lock that says whose it is. */
async function filesIn(...path: string[]): Promise<readonly string[]> {
  const entries = await readdir(join(...path), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name !== '.lock');
  return files.map((entry) => join(entry.parentPath, entry.name));
}

/** Encoders that work in the data folder. */
const encodersOf = (dataDir: string) =>
  runningProcesses().filter(({ command }) => /ff(mpeg|probe)/.test(command) && command.includes(dataDir));

describe('a video', () => {
  let server: Standalone;
  let api: RestClient;
  let videos: VideoClient;
  let browser: TestBrowser;
  let pages: PlayerPages;
  beforeAll(async () => {
    [server, browser, pages] = await Promise.all([
      startStandalone({ settings: loopbackAllowed }),
      openBrowser(),
      openPlayerPages(),
    ]);
    api = await server.signIn();
    videos = new VideoClient(server.httpUrl, api);
  });
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]();
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('is uploaded over a break, processed step by step before the eyes of its owner, plays, and is gone when deleted', async () => {
    await using watch = await videos.watchJobs();
    const video = await videos.create('A test picture', { language: 'en' });
    await videos.upload(video, await media.speech(spoken), { breakAt: 65_536 });
    const done = await videos.until(video, ['completed', 'failed']).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${server.program.stderr().slice(-4_000)}`);
    });
    expect(done).toMatchObject({ status: 'completed', progress: 100, error: null, playback: { complete: true } });

    const run = await videos.progress(video);
    expect(run.steps.map(({ name }) => name)).toEqual(steps);
    expect(run.steps.map(({ status, reason }) => [status, reason])).toEqual(steps.map(() => ['completed', null]));
    expect(done.playback?.subtitles.map(({ language }) => language)).toEqual(['en']);
    await eventually(() => watch.of(video.video_id).at(-1)?.status === 'completed', 'the hub says that it is done');
    const shown = watch.of(video.video_id);
    const progress = shown.map((job) => job.progress);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.filter((value) => value > 0 && value < 100).length).toBeGreaterThan(1);

    const base = `${server.httpUrl}/vod/${video.playback_id}`;
    const [hls, dash] = await Promise.all([
      browser.open(pages.pageUrl('hls', `${base}/index.m3u8`, `${base}/cmcd`)),
      browser.open(pages.pageUrl('dash', `${base}/index.mpd`, `${base}/cmcd`)),
    ]);
    const [byHls, byDash] = await Promise.all([playsFor(hls.page, 2), playsFor(dash.page, 2)]);
    for (const player of [byHls, byDash]) {
      expect(player.error).toBeUndefined();
      expect(player.videoWidth).toBeGreaterThan(0);
      expect(player.duration).toBeGreaterThan(4);
      expect(player.duration).toBeCloseTo((done.media?.duration_ms ?? 0) / 1_000, 0);
    }
    await eventually(async () => ((await shownVideo(hls.page))?.captions ?? 0) > 0, 'hls.js shows the subtitles');
    expect(hls.problems).toEqual([]);
    const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
    expect(Number(/^millrace_delivery_audience_viewers (\d+)/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(1);
    await Promise.all([hls.page.close(), dash.page.close()]);

    expect((await fetch(`${base}/poster.jpg`)).headers.get('content-type')).toBe('image/jpeg');
    expect(await videos.remove(video)).toBeLessThan(300);
    await eventually(async () => (await fetch(`${base}/index.m3u8`)).status === 404, 'its playlist is gone');
    await eventually(
      async () => (await filesIn(server.dataDir, 'media', 'videos', video.video_id)).length === 0,
      'its files are gone',
    );
    expect(await filesIn(server.dataDir, 'scratch')).toEqual([]);
  });

  it('is made of an image, which gets a thumbnail; when both are deleted nothing is left', async () => {
    const authorization = `Bearer ${api.token}`;
    const sent = await fetch(`${server.httpUrl}/api/v1/images?img_name=sun.png`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'image/png' },
      body: await readFile(await media.picture('1280x720')),
    });
    expect(sent.status).toBe(201);
    const image = async () => (await api.expect('GET', '/images/sun.png')) as unknown as Image;
    await eventually(async () => (await image()).thumbnail_url !== null, 'a thumbnail', 30_000);
    const small = await fetch((await image()).thumbnail_url ?? '', { headers: { authorization } });
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp']);
    expect((await small.arrayBuffer()).byteLength).toBeLessThan((await image()).size_bytes ?? 0);
    await api.expect('POST', '/images/sun.png/video', { duration_ms: 500, width: 128, height: 72 });
    await eventually(async () => (await image()).video_status === 'completed', 'a video of the image', 30_000);
    const { video_id, video_url } = await image();
    expect((await fetch(video_url ?? '')).status).toBe(200);
    await api.expect('DELETE', '/images/sun.png');
    expect(await videos.remove({ video_id: video_id ?? '' })).toBe(204);
    const left = async () => (await filesIn(server.dataDir, 'media')).filter((file) => /images|vid_/.test(file));
    await eventually(async () => (await left()).length === 0, 'a media store without them', 30_000);
  });

  it('outlives a kill -9 of the whole server: it is completed after the next start, an import goes on where it was, and nothing of the work is left over', async () => {
    const film = randomBytes(12 * mib);
    await using elsewhere = await startHaltingServer(film, 10 * mib);
    const imported = await videos.create('Imported', { url: elsewhere.url, process: false });
    await eventually(
      async () => (await filesIn(server.dataDir, 'media', 'imports', imported.video_id)).length > 0,
      'a part of the import is kept',
    );
    const video = await videos.create('Outlived');
    await videos.upload(video, await media.video(8, '640x360'), { pieceBytes: 1024 * 1024 });
    const ladder = async () => (await videos.progress(video)).steps.find(({ name }) => name === 'ladder');
    await eventually(async () => ((await ladder())?.progress ?? 0) > 0, 'the ladder is being encoded');
    server.program.process.kill('SIGKILL');
    await server.program.ended;

    await using next = await startStandalone({ dataDir: server.dataDir, settings: loopbackAllowed });
    const after = new VideoClient(next.httpUrl, api.at(next.httpUrl));
    const done = await after.until(video, ['completed', 'failed'], 45_000);
    await eventually(async () => (await after.get(imported)).source_state === 'ready', 'the import is done', 30_000);
    expect(elsewhere.asked).toEqual([
      { range: undefined, ifRange: undefined },
      { range: `bytes=${8 * mib}-`, ifRange: '"one"' },
    ]);
    const kept = join(server.dataDir, 'media', 'videos', imported.video_id, 'source');
    expect((await readFile(kept)).equals(film)).toBe(true);
    expect(done).toMatchObject({ status: 'completed', progress: 100, error: null });
    const { attempts } = await after.progress(video);
    // what was done stays done: of each part one attempt was lost at most
    expect(attempts.filter(({ outcome }) => outcome === 'lapsed').length).toBeLessThanOrEqual(1);
    expect(attempts.filter(({ step, outcome }) => step === 'probe' && outcome === 'done')).toHaveLength(1);
    expect((await fetch(`${next.httpUrl}/vod/${video.playback_id}/index.m3u8`)).status).toBe(200);
    const empty = async (...path: string[]) => (await filesIn(server.dataDir, ...path)).length === 0;
    await eventually(() => empty('scratch'), 'no scratch file is left');
    await eventually(() => empty('media', 'work'), 'work/ is empty');
    await eventually(() => empty('media', 'imports'), 'imports/ is empty');
    expect(encodersOf(server.dataDir)).toEqual([]);
  });
});

describe('processes that keep media in a bucket', () => {
  let bucket: S3Server;
  let store: MediaStore & AsyncDisposable;
  let cluster: Cluster;
  let progress: ClusterProcess;
  const workers = new Map<string, ClusterProcess>();
  beforeAll(async () => {
    bucket = await startS3Server({ buckets: ['millrace'] });
    const settings = s3Settings(bucket, 's3://millrace/media');
    store = await openBucket(settings);
    cluster = await startCluster(settings);
    progress = await cluster.startProgress();
    await Promise.all(
      ['worker-1', 'worker-2'].map(async (name) => {
        workers.set(name, await cluster.startJobWorker(name, progress));
      }),
    );
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await bucket?.[Symbol.asyncDispose]();
  });

  const objects = async (prefix: string) => {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    return keys;
  };

  /** The worker that does a task of the job now. */
  const busyWorker = async (videos: VideoClient, video: Video) => {
    const { attempts } = await videos.progress(video);
    const running = attempts.find(({ outcome }) => outcome === 'running');
    return workers.get(running?.worker_id.split('.')[0] ?? '');
  };

  it('complete a video through a kill -9 of a worker, then of progress, at any moment, play it, and leave nothing behind', {
    timeout: 120_000,
  }, async () => {
    const api = cluster.api.at(progress.httpUrl);
    const videos = new VideoClient(progress.httpUrl, api);
    const video = await videos.create('Killed');
    await videos.upload(video, await media.video(14, '640x360'), { pieceBytes: 1024 * 1024 });
    const waitsMs = [0, 1].map(() => Math.round(Math.random() * 1_500));
    let victim: ClusterProcess | undefined;
    await pause(waitsMs[0]);
    const busyOrOver = async () =>
      (victim = await busyWorker(videos, video)) !== undefined || (await videos.get(video)).status === 'completed';
    await eventually(busyOrOver, 'a worker is at it');
    await victim?.program.stop('SIGKILL');
    await pause(waitsMs[1]);
    await cluster.restart(progress);
    if (victim !== undefined) await cluster.restart(victim);

    const done = await videos.until(video, ['completed', 'failed'], 60_000).catch((error: unknown) => {
      throw new Error(`killed after ${waitsMs.join(', ')} ms: ${String(error)}\n${cluster.output()}`);
    });
    expect(done).toMatchObject({ status: 'completed', progress: 100, error: null });
    const { attempts } = await videos.progress(video);
    console.log(
      `killed after ${waitsMs.join(', ')} ms: ${attempts.map(({ step, outcome }) => `${step} ${outcome}`).join(', ')}`,
    );
    const base = `${cluster.delivery.httpUrl}/vod/${video.playback_id}`;
    await eventually(async () => (await fetch(`${base}/index.mpd`)).ok, 'delivery plays it');
    await playsInRanges(base);
    await eventually(() => encodersOf(cluster.dataDir).length === 0, 'no encoder is left');
    for (const worker of workers.keys()) {
      await eventually(
        // The copy of the original is kept for tasks that might follow.
        async () => (await filesIn(cluster.dataDir, worker, 'scratch')).every((path) => path.includes('/copies/')),
        'no scratch file is left',
      );
    }
    for (const folder of ['work/', 'uploads/']) {
      await eventually(async () => (await objects(folder)).length === 0, `${folder} is empty`);
    }
    expect(await objects('videos/')).toContain(`videos/${video.video_id}/source`);
    expect(await filesIn(cluster.dataDir, 'media')).toEqual([]);
    expect(await videos.remove(video)).toBeLessThan(300);
    await eventually(async () => (await objects('')).length === 0, 'the bucket is empty');
  });
});

async function openBucket(env: Readonly<Record<string, string>>): Promise<MediaStore & AsyncDisposable> {
  const loaded = loadSettings(mediaStoreSettings, env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const settings = { ...loaded.value, DATA_DIR: '' };
  return openMediaStore({ settings, clock: systemClock, log: silentLogger });
}

/** Follows the playlists down to a segment, and takes that whole and from its middle on. */
async function playsInRanges(base: string): Promise<void> {
  const lines = async (url: string) => (await (await fetch(url)).text()).split('\n');
  const first = (all: readonly string[], ending: RegExp) => all.find((line) => ending.test(line)) ?? 'none';
  const list = new URL(first(await lines(`${base}/index.m3u8`), /^[^#].*video-.*\.m3u8$/), `${base}/`).href;
  const segment = new URL(first(await lines(list), /^[^#].*\.m4s$/), list).href;
  const whole = new Uint8Array(await (await fetch(segment)).arrayBuffer());
  const middle = await fetch(segment, { headers: { range: 'bytes=100-299' } });
  expect(middle.status).toBe(206);
  expect(middle.headers.get('content-range')).toBe(`bytes 100-299/${whole.byteLength}`);
  expect(new Uint8Array(await middle.arrayBuffer())).toEqual(whole.subarray(100, 300));
  expect((await fetch(segment, { headers: { range: `bytes=${whole.byteLength}-` } })).status).toBe(416);
}

/** Not to wait for anything, but to let the kill come anywhere. */
const pause = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
