import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpecOf } from '@millrace/api';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnimateTask } from './animate-task.ts';
import { defaultEncoder } from './encoder-settings.ts';

const settings = { ...defaultEncoder, preset: 'ultrafast', crf: 12, threads: 1, niceness: 0 };
const animate = createAnimateTask(settings);
const asset = 'videos/vid_1/ast_1';

let folder = '';
let store: MediaStore;
let runs = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-animate-'));
  store = await openFolderStore({ folder: join(folder, 'media') });
  await make('images/a/source', 'a.png', [
    ...['-f', 'lavfi', '-i', 'color=black:size=480x270,drawbox=x=200:y=20:w=60:h=60:color=white:t=fill'],
    ...['-frames:v', '1'],
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Makes a file with ffmpeg and puts it into the store. */
async function make(key: string, name: string, args: readonly string[]): Promise<void> {
  const path = join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, path]);
  expectOk(await store.putFile(key, path), 'put');
}

const spec = (over: Partial<SpecOf<'animate'>> = {}): SpecOf<'animate'> => ({
  ...{ kind: 'animate', image: 'images/a/source', audio: null, motion: 'still', caption: null },
  ...{ duration_ms: 1_200, width: 160, height: 90, frames_per_second: 10 },
  ...{ output: `${asset}/a.mp4`, asset },
  ...over,
});

async function attempt(over: Partial<SpecOf<'animate'>> = {}) {
  const scratch = await mkdtemp(join(folder, `scratch's: [${runs++}], \\;=`));
  const reports: number[] = [];
  const result = await animate(spec(over), {
    ...{ signal: new AbortController().signal, scratch, store, log: silentLogger, inputs: [] },
    report: (done) => void reports.push(done),
  });
  return { result, reports };
}

/** Does the task; gives its result and every frame of the MP4 as grey pixels. */
async function run(over: Partial<SpecOf<'animate'>> = {}) {
  const { result, reports } = await attempt(over);
  const value = expectOk(result, 'animate');
  const path = store.localPath(spec(over).output) ?? '';
  const { width, height } = spec(over);
  const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
    maxBuffer: 1e9,
  });
  const size = width * height;
  const frames = Array.from({ length: raw.length / size }, (_, i) => raw.subarray(i * size, (i + 1) * size));
  return { value, frames, path, reports, width, height };
}

/** Mean difference of two frames, grey levels. */
function difference(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) throw new Error('expected two frames');
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

const probe = (path: string, entries: string) =>
  execFileSync('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path]).toString();

it('the video is exactly as long as asked, moves, and its caption is seen at the bottom only', async () => {
  const still = await run();
  expect(still.frames).toHaveLength(12);
  for (const frame of still.frames) expect(difference(frame, still.frames[0])).toBeLessThan(1);
  expect(still.value).toMatchObject({
    ...{ kind: 'animate', poster: 'poster.jpg' },
    media: { duration_ms: 1_200, audio: null, video: { width: 160, height: 90, frames_per_second: 10 } },
  });
  expect(JSON.parse(probe(still.path, 'format=duration')).format.duration).toBe('1.200000');
  expect(still.reports.at(-1)).toBe(0.9);

  const moving = await run({ motion: 'pan-right', caption: "It's 100%: {x} \\ [in] 'quotes', %{pts} done;" });
  const [half, first] = [160 * 45, moving.frames[0]];
  expect(difference(first, moving.frames.at(-1))).toBeGreaterThan(5);
  expect(Math.max(...(first?.subarray(half) ?? []))).toBeGreaterThan(200);
  expect(difference(first?.subarray(half), still.frames[0]?.subarray(half))).toBeGreaterThan(4);
  expect(difference(moving.frames.at(-1)?.subarray(half), first?.subarray(half))).toBeLessThan(2); // it stands still
});

it('what is no picture is refused for good, with a reason', async () => {
  const path = join(folder, 'x.png');
  await writeFile(path, 'no picture');
  expectOk(await store.putFile('images/x/source', path), 'put');
  const { result } = await attempt({ image: 'images/x/source' });
  expect(result).toMatchObject({ ok: false, error: { code: 'bad-media', retryable: false } });
});

describe('sound and asset', () => {
  it.each([
    ['short', 0.4],
    ['long', 5],
  ] as const)('the sound of a %s video is as long as the pictures, and fades', async (name, seconds) => {
    await make(`videos/${name}/source`, `${name}.mp4`, [
      ...['-f', 'lavfi', '-i', `testsrc2=size=64x36:rate=10:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`, '-c:v', 'libx264', '-preset', 'ultrafast'],
    ]);
    const { value, path } = await run({ audio: `videos/${name}/source`, duration_ms: 2_000 });
    expect(value.media).toMatchObject({ duration_ms: 2_000, audio: { codec: 'aac', sample_rate: 48_000 } });
    const pcm = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-ac', '1', '-f', 'f32le', '-'], { maxBuffer: 1e8 });
    const samples = new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
    const loudness = (from: number, to: number) => {
      const part = samples.subarray(from * 48_000, to * 48_000);
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
    };
    expect(samples.length).toBeGreaterThanOrEqual(1.97 * 48_000);
    expect(samples.length).toBeLessThanOrEqual(2.03 * 48_000);
    expect(loudness(0.5, 0.9)).toBeGreaterThan(0.05);
    expect(loudness(1.85, 1.95)).toBeLessThan(0.2 * loudness(0.5, 0.9));
  });

  it('the asset plays by HLS and has everything that its playlists name', async () => {
    const { value } = await run({ audio: 'videos/long/source', duration_ms: 4_500, motion: 'zoom-in' });
    const hls = store.localPath(`${asset}.m3u8`) ?? '';
    const counted = execFileSync('ffprobe', [
      ...['-v', 'error', '-count_packets', '-show_entries', 'stream=codec_type,nb_read_packets', '-of', 'csv=p=0'],
      ...['-allowed_extensions', 'ALL', hls],
    ]).toString();
    expect(counted).toMatch(/video,45/);
    expect(counted).toMatch(/audio,2\d\d/);
    const keys: string[] = [];
    for await (const { key } of store.list(`${asset}/`)) keys.push(key.slice(asset.length + 1));
    expect(keys).toEqual(expect.arrayContaining(['a.mp4', 'poster.jpg', 'tracks.json', 'video-90p/index.m3u8']));
    expect(keys.filter((key) => /^video-90p\/s\d+\.m4s$/.test(key))).toHaveLength(3);
    expect(value.bytes).toBeGreaterThan(value.media.size_bytes);
  });
});
