import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultOf, SpecOf, TaskKind, TaskResult } from '@millrace/api';
import { chooseRungs, type LadderOptions, planSpans } from '@millrace/ladder';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { createAudioTask } from './audio-task.ts';
import { defaultEncoder, type EncoderSettings } from './encoder-settings.ts';
import { createProbeTask } from './probe-task.ts';
import { createPublishTask } from './publish-task.ts';
import { createSpanTask } from './span-task.ts';

const asset = 'videos/vid_1/ast_1';
const encoder: EncoderSettings = { ...defaultEncoder, preset: 'ultrafast', threads: 1, niceness: 0 };
const ladder: LadderOptions = {
  rungs: [
    { lines: 180, bitsPerSecond: 600_000 },
    { lines: 90, bitsPerSecond: 200_000 },
  ],
  maxFramesPerSecond: 60,
  fastFromLines: 120,
  peakFactor: 1.5,
};
const limits = { max_duration_ms: 60_000, max_pixels: 1_000_000, max_frames_per_second: 240 };

let folder = '';
let store: MediaStore;
let scratches = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-processing-'));
  store = await openFolderStore({ folder: join(folder, 'media') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Makes a source with ffmpeg and puts it into the store; gives its path. */
async function source(args: readonly string[], ending = 'mp4'): Promise<string> {
  const path = join(folder, `source-${scratches++}.${ending}`);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, path]);
  expectOk(await store.putFile('videos/vid_1/source', path), 'put');
  return path;
}

const picture = (rate: string, seconds: number, size = '320x180') => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
const pulseMs = 2_000;
/** Silence with one tone of a fifth of a second in it. */
const pulse = (seconds: number) => [
  ...[
    '-f',
    'lavfi',
    '-i',
    `aevalsrc=exprs=between(t\\,${pulseMs / 1_000}\\,2.2)*sin(2*PI*1000*t):s=44100:d=${seconds}`,
  ],
];
const sound = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds}`];
const x264 = (gop: number) => [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-bf',
  '2',
  '-g',
  String(gop),
  '-sc_threshold',
  '0',
];

async function run<K extends TaskKind>(
  executor: TaskExecutor<K>,
  spec: SpecOf<K>,
  inputs: readonly TaskResult[] = [],
  over: Partial<TaskContext> = {},
) {
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  const context = { signal: new AbortController().signal, scratch, store, report: () => {}, log: silentLogger, inputs };
  try {
    return await executor(spec, { ...context, ...over });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Processed {
  readonly probe: ResultOf<'probe'>;
  readonly results: readonly TaskResult[];
  readonly published: ResultOf<'publish'>;
}

/** Everything that a whole run does, in this process; spans of 2 s, segments of 1 s. */
async function process(rungs = 1): Promise<Processed> {
  const probe = expectOk(
    await run(createProbeTask(encoder), { kind: 'probe', source: 'videos/vid_1/source', limits }),
    'probe',
  );
  const { media, keyframes_ms } = probe;
  const source = 'videos/vid_1/source';
  const { duration_ms } = media;
  const results: TaskResult[] = [];
  if (media.audio !== null) {
    const spec = { kind: 'audio', source, asset, duration_ms, speech: 'work/job_1/speech.wav' } as const;
    results.push(expectOk(await run(createAudioTask(encoder), spec), 'audio'));
  }
  if (media.video !== null) {
    const { width, height, frames_per_second: framesPerSecond } = media.video;
    for (const rung of chooseRungs({ width, height, framesPerSecond }, ladder).slice(0, rungs)) {
      const spans = planSpans(keyframes_ms, duration_ms, 2_000).map(async ({ span, startMs, endMs }) => {
        const spec: SpecOf<'span'> = {
          ...{ kind: 'span', source, asset, span, start_ms: startMs, end_ms: endMs, segment_ms: 1_000 },
          rung: {
            ...{ name: rung.name, width: rung.width, height: rung.height, frames_per_second: rung.framesPerSecond },
            ...{ bits_per_second: rung.bitsPerSecond, max_bits_per_second: rung.maxBitsPerSecond },
          },
        };
        return expectOk(await run(createSpanTask(encoder), spec, [probe]), `span ${span}`);
      });
      results.push(...(await Promise.all(spans)));
    }
  }
  const spec = { kind: 'publish', asset, duration_ms, final: true } as const;
  const published = expectOk(await run(createPublishTask(), spec, results), 'publish');
  return { probe, results, published };
}

const mediaPath = (key: string) => store.localPath(key) ?? '';

/** Frames of a rendition as ffprobe sees them in its playlist: times in ms, keyframes. */
function packets(playlist: string): { ms: number; key: boolean }[] {
  const shown = ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
  const text = execFileSync('ffprobe', ['-v', 'error', ...shown, mediaPath(playlist)]).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => ({ ms: Number(line.split(',')[0]) * 1_000, key: line.includes('K') }))
    .sort((a, b) => a.ms - b.ms);
}

/** What ffmpeg has to say while it decodes everything that a playlist leads to. */
function decodingComplaints(playlist: string): string {
  const args = [
    '-v',
    'warning',
    '-xerror',
    '-i',
    mediaPath(playlist),
    '-map',
    '0:v?',
    '-map',
    '0:a?',
    '-f',
    'null',
    '-',
  ];
  return execFileSync('sh', ['-c', 'ffmpeg "$@" 2>&1', 'sh', ...args]).toString();
}

/** Likeness of a rendition to its source, 1 for equal; the source filtered first. */
function likeness(playlist: string, original: string, filter = 'null'): number {
  const graph = `[0:v]setpts=PTS-STARTPTS[a];[1:v]${filter},setpts=PTS-STARTPTS[b];[a][b]scale2ref=flags=bicubic[a2][b2];[a2][b2]ssim`;
  const args = ['-hide_banner', '-i', mediaPath(playlist), '-i', original, '-lavfi', graph, '-f', 'null', '-'];
  const text = execFileSync('sh', ['-c', 'ffmpeg "$@" 2>&1', 'sh', ...args]).toString();
  return Number(/SSIM .*All:([\d.]+)/.exec(text)?.[1]);
}

/** Every frame is there once, at its place on the grid; the only rendition is the top one. */
function expectWhole({ published, probe }: Processed, frames: number, rate: number): { ms: number; key: boolean }[] {
  const [rung] = published.rungs;
  const seen = packets(`${asset}/video-${rung?.name}/index.m3u8`);
  expect(seen.length).toBe(frames);
  seen.forEach((frame, i) => expect(Math.abs(frame.ms - (i * 1_000) / rate), `frame ${i}`).toBeLessThan(1));
  expect(Math.abs(probe.media.duration_ms - (frames * 1_000) / rate)).toBeLessThan(120);
  return seen;
}

describe('a video of 5 s in two rungs', () => {
  let original = '';
  let whole: Processed;
  beforeAll(async () => {
    const args = [...picture('30000/1001', 5), ...pulse(5), ...x264(30), '-c:a', 'aac', '-shortest'];
    original = await source(args);
    whole = await process(2);
  });

  it('was seen for what it is', () => {
    expect(whole.probe.media).toMatchObject({
      container: 'mov,mp4,m4a,3gp,3g2,mj2',
      video: { codec: 'h264', width: 320, height: 180, rotation: 0, pixel_format: 'yuv420p' },
      audio: { codec: 'aac', sample_rate: 44_100 },
    });
    expect(whole.probe.media.video?.frames_per_second).toBeCloseTo(30_000 / 1_001, 6);
    expect(whole.probe.keyframes_ms.map(Math.round)).toEqual([0, 1_001, 2_002, 3_003, 4_004]);
  });

  it('has every frame of its source once, in both rungs, and each segment begins with a keyframe', () => {
    const top = expectWhole(whole, 150, 30_000 / 1_001);
    const low = packets(`${asset}/video-90p/index.m3u8`);
    expect(low).toEqual(top);
    expect(top.filter((frame) => frame.key).map((frame) => Math.round(frame.ms))).toEqual([
      0, 1_001, 2_002, 3_003, 4_004,
    ]);
  });

  it('is decoded by ffmpeg through its playlists without a warning, HLS and DASH', () => {
    expect(decodingComplaints(`${asset}.m3u8`)).toBe('');
    expect(decodingComplaints(`${asset}/audio/index.m3u8`)).toBe('');
    expect(decodingComplaints(`${asset}.mpd`)).toBe('');
  });

  it('looks like its source to the frame', () => {
    expect(likeness(`${asset}/video-180p/index.m3u8`, original)).toBeGreaterThan(0.95);
    expect(likeness(`${asset}/video-90p/index.m3u8`, original)).toBeGreaterThan(0.8);
  });

  it('shares one init section among its spans, and names what it lists', async () => {
    const spans = whole.results.filter((result) => result.kind === 'span');
    expect(spans.length).toBe(6);
    for (const name of ['180p', '90p']) {
      expect(new Set(spans.filter((span) => span.rung.name === name).map((span) => span.track.init)).size).toBe(1);
    }
    const text = await readFile(mediaPath(`${asset}.m3u8`), 'utf8');
    expect(text).toMatch(/^ast_1\/video-180p\/index\.m3u8$/m);
    expect(text).toMatch(/RESOLUTION=320x180,FRAME-RATE=29.97,AUDIO="audio"/);
    expect(text).toMatch(/CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/);
  });

  it('has audio exactly as long as the video, neither early nor late', () => {
    const { track } = whole.results.find((result) => result.kind === 'audio') ?? {};
    const total = track?.segments.reduce((sum, segment) => sum + segment.duration_ms, 0) ?? 0;
    expect(Math.abs(total - whole.probe.media.duration_ms)).toBeLessThan(30);
    const raw = ['-ac', '1', '-ar', '48000', '-f', 's16le', '-'];
    const pcm = execFileSync('ffmpeg', ['-v', 'error', '-i', mediaPath(`${asset}/audio/index.m3u8`), ...raw]);
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength >> 1);
    const heardMs = samples.findIndex((sample) => Math.abs(sample) > 4_000) / 48;
    expect(Math.abs(heardMs - pulseMs)).toBeLessThan(8);
  });

  it('keeps what is listened to beside it: mono, 16 kHz, the whole length', async () => {
    const wav = await readFile(mediaPath('work/job_1/speech.wav'));
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect([wav.readUInt16LE(22), wav.readUInt32LE(24)]).toEqual([1, 16_000]);
    expect(Math.abs((wav.length - 78) / 32 - whole.probe.media.duration_ms)).toBeLessThan(60);
  });
});

describe('a source', () => {
  it('without audio gives playlists without audio', async () => {
    await source([...picture('25', 4), ...x264(25)]);
    const whole = await process();
    expectWhole(whole, 100, 25);
    expect(whole.probe.media.audio).toBeNull();
    expect(await readFile(mediaPath(`${asset}.m3u8`), 'utf8')).not.toContain('AUDIO');
    expect(decodingComplaints(`${asset}.m3u8`)).toBe('');
  });

  it('without a picture plays as audio alone, its cover left out', async () => {
    const cover = join(folder, 'cover.jpg');
    execFileSync('ffmpeg', ['-v', 'error', ...picture('1', 1, '64x64'), '-frames:v', '1', cover]);
    await source(
      [...sound(3), '-i', cover, '-map', '0', '-map', '1', '-c:v', 'copy', '-disposition:v', 'attached_pic'],
      'm4a',
    );
    const whole = await process();
    expect(whole.probe.media.video).toBeNull();
    expect(whole.published.rungs).toEqual([]);
    expect(await readFile(mediaPath(`${asset}.m3u8`), 'utf8')).toMatch(/CODECS="mp4a.40.2"\nast_1\/audio\/index.m3u8/);
    expect(decodingComplaints(`${asset}.m3u8`)).toBe('');
  });

  it('of a phone held upright is shown upright', async () => {
    const flat = await source([...picture('30', 3), ...x264(30)]);
    const original = await source(['-i', flat, '-c', 'copy', '-metadata:s:v', 'rotate=90']);
    const whole = await process();
    expect(whole.probe.media.video).toMatchObject({ width: 180, height: 320 });
    expect(whole.published.rungs).toMatchObject([{ name: '180p', width: 180, height: 320 }]);
    expectWhole(whole, 90, 30);
    expect(likeness(`${asset}/video-180p/index.m3u8`, original)).toBeGreaterThan(0.95);
  });

  it('with a frame rate that wanders gets a steady one, with every picture at its time', async () => {
    const wander = "select='not(eq(mod(n,7),3))*not(between(n,40,55))'";
    const original = await source([...picture('30', 4), '-vf', wander, '-fps_mode', 'vfr', ...x264(20)], 'mkv');
    const whole = await process();
    const seen = expectWhole(whole, Math.round((whole.probe.media.duration_ms * 30) / 1_000), 30);
    expect(seen.length).toBeGreaterThan(110);
    expect(likeness(`${asset}/video-180p/index.m3u8`, original, 'fps=30')).toBeGreaterThan(0.95);
  });

  it('of odd size, with pixels that are not square, gets even sides and square pixels', async () => {
    await source([...picture('25', 3, '161x91'), '-vf', 'setsar=4/3', '-pix_fmt', 'yuv444p', ...x264(25)], 'mkv');
    const whole = await process();
    expect(whole.published.rungs).toMatchObject([{ width: 212, height: 90 }]);
    expectWhole(whole, 75, 25);
  });

  it('that begins at another time than zero is played from its start, spans found without an index', async () => {
    const original = await source([...picture('25', 5), ...pulse(5), ...x264(25), '-output_ts_offset', '3600'], 'ts');
    const whole = await process();
    expect(whole.probe.keyframes_ms[0]).toBeLessThan(100);
    expectWhole(whole, 125, 25);
    expect(likeness(`${asset}/video-180p/index.m3u8`, original)).toBeGreaterThan(0.95);
    expect(decodingComplaints(`${asset}.m3u8`)).toBe('');
  });

  it('in HDR with 10 bits is mapped to 8 bits of the common range', async () => {
    const hdr = [
      '-vf',
      'format=yuv420p10le',
      '-color_primaries',
      'bt2020',
      '-color_trc',
      'smpte2084',
      '-colorspace',
      'bt2020nc',
    ];
    await source(
      [...picture('25', 2), ...hdr, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'],
      'mkv',
    );
    const whole = await process();
    expect(whole.probe.media.video).toMatchObject({ codec: 'hevc', pixel_format: 'yuv420p10le' });
    const shown = ['-show_entries', 'stream=pix_fmt,color_transfer', '-of', 'csv=p=0'];
    const playlist = mediaPath(`${asset}/video-180p/index.m3u8`);
    const said = execFileSync('ffprobe', ['-v', 'error', ...shown, playlist])
      .toString()
      .trim()
      .split(/\n+/);
    expect(new Set(said)).toEqual(new Set(['yuv420p,bt709']));
    expectWhole(whole, 50, 25);
  });

  it('at 60 frames/s keeps them in the large rung and has the same cuts at half of them in the small one', async () => {
    await source([...picture('60', 4), ...x264(50)]);
    const whole = await process(2);
    expect(whole.published.rungs.map((rung) => rung.frames_per_second)).toEqual([60, 30]);
    const top = expectWhole(whole, 240, 60);
    const low = packets(`${asset}/video-90p/index.m3u8`);
    expect(low.length).toBe(120);
    const keysOf = (frames: typeof low) => frames.filter((frame) => frame.key).map((frame) => Math.round(frame.ms));
    expect(keysOf(low)).toEqual(keysOf(top));
  });
});
