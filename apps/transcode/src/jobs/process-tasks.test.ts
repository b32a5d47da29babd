import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpecOf, TaskKind, TaskResult } from '@millrace/api';
import { silentLogger } from '@millrace/log';
import { type MemoryStore, openMemoryStore } from '@millrace/media-store/testing';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { createAudioTask } from './audio-task.ts';
import { defaultEncoder, type EncoderSettings } from './encoder-settings.ts';
import { createPosterTask } from './poster-task.ts';
import { createProbeTask } from './probe-task.ts';
import { createPublishTask } from './publish-task.ts';
import { createSpanTask } from './span-task.ts';

const asset = 'videos/vid_1/ast_1';
const source = 'videos/vid_1/source';
const encoder: EncoderSettings = { ...defaultEncoder, preset: 'ultrafast', threads: 1, niceness: 0 };
const limits = { max_duration_ms: 20_000, max_pixels: 100_000, max_frames_per_second: 100 };
const rung = {
  name: '90p',
  width: 160,
  height: 90,
  frames_per_second: 25,
  bits_per_second: 200_000,
  max_bits_per_second: 300_000,
};
const span: SpecOf<'span'> = {
  ...{ kind: 'span', source, asset, rung, span: 1, start_ms: 1_000, end_ms: 3_000, segment_ms: 1_000 },
};

let folder = '';
/** Dark for two seconds, then a test picture: 8 s, 25 frames/s, a keyframe each second, with a tone. */
let film: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-tasks-'));
  film = make([
    ...['-f', 'lavfi', '-i', "testsrc2=size=320x180:rate=25:duration=8,drawbox=t=fill:color=black:enable='lt(t,2)'"],
    ...['-f', 'lavfi', '-i', 'sine=duration=8', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac'],
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function make(args: readonly string[], format = 'matroska'): Buffer {
  return execFileSync('ffmpeg', ['-v', 'error', ...args, '-f', format, '-'], { maxBuffer: 32 * 1024 * 1024 });
}

/** A store that has no files of its own, as one in another place has not. */
async function storeWith(bytes: Uint8Array): Promise<MemoryStore> {
  const store = openMemoryStore();
  await store.put(source, [bytes]);
  return store;
}

async function run<K extends TaskKind>(
  executor: TaskExecutor<K>,
  spec: SpecOf<K>,
  store: MemoryStore,
  over: Partial<TaskContext> = {},
) {
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  const context = {
    signal: new AbortController().signal,
    scratch,
    store,
    report: () => {},
    log: silentLogger,
    inputs: [],
  };
  try {
    return await executor(spec, { ...context, ...over });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const textOf = (store: MemoryStore, key: string) => Buffer.from(store.objects.get(key) ?? []).toString();

describe('the probe refuses, with a reason and for good,', () => {
  const refused = async (bytes: Uint8Array) => {
    const result = await run(createProbeTask(encoder), { kind: 'probe', source, limits }, await storeWith(bytes));
    if (result.ok) return JSON.stringify(result.value);
    expect(result.error).toMatchObject({ retryable: false });
    return `${result.error.code}: ${result.error.reason}`;
  };
  const tiny = (args: string, seconds = 1) => [
    '-f',
    'lavfi',
    '-i',
    `testsrc2=${args}:duration=${seconds}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
  ];

  it('what is no media', async () => {
    const playlist = Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n');
    const answers = await Promise.all(
      [Buffer.from('words'), Buffer.alloc(0), playlist, film.subarray(0, 300)].map(refused),
    );
    for (const answer of answers) expect(answer).toMatch(/^bad-media: expected .*, got /);
  });

  it('what is too long, too large or too fast', async () => {
    const answers = [
      refused(make(tiny('size=64x36:rate=5', 21))),
      refused(make(tiny('size=64x36:rate=5', 21), 'h264')).catch(() => 'bad-media'),
      refused(make(tiny('size=640x360:rate=5'))),
      refused(make(tiny('size=64x36:rate=120'))),
    ];
    const [long, raw, large, fast] = await Promise.all(answers);
    expect(long).toBe('too-long: expected at most 20 s, got more');
    expect(raw).toMatch(/^bad-media/);
    expect(large).toBe('too-large: expected a picture of at most 100000 pixels, got 640x360');
    expect(fast).toBe('too-fast: expected at most 100 frames/s, got 120');
  });

  it('what is longer than its header says, as soon as that shows', async () => {
    // A live WebM has no duration at all.
    const live = make(
      [...tiny('size=64x36:rate=5', 25), '-live', '1', '-c:v', 'libvpx', '-deadline', 'realtime'].filter(
        (arg) => arg !== '-preset' && arg !== 'ultrafast',
      ),
      'webm',
    );
    expect(await refused(live)).toBe('too-long: expected at most 20 s, got more');
  });

  it('a codec that nothing here decodes', async () => {
    const unknown = Buffer.from(film);
    for (let at = unknown.indexOf('V_MPEG4/ISO/AVC'); at !== -1; at = unknown.indexOf('V_MPEG4/ISO/AVC'))
      unknown.write('V_MPEG4/ISO/XYZ', at);
    expect(await refused(unknown)).toMatch(/^unsupported-codec: expected .* got an unknown one for video/);
  });
});

describe('a span', () => {
  it('of a store without files is fetched, and done twice it writes the same', async () => {
    const store = await storeWith(film);
    const first = expectOk(await run(createSpanTask(encoder), span, store), 'span');
    const objects = new Map(store.objects);
    const bytesOf = (key: string) => Buffer.from(objects.get(key) ?? []);
    expect(expectOk(await run(createSpanTask(encoder), span, store), 'span')).toEqual(first);
    for (const [key, bytes] of store.objects) expect(bytesOf(key).equals(bytes), key).toBe(true);
    expect(first.track.segments).toMatchObject([
      { path: 'video-90p/s25000.m4s', duration_ms: 1_000 },
      { path: 'video-90p/s50000.m4s', duration_ms: 1_000 },
    ]);
    for (const { path, bytes } of first.track.segments) expect(objects.get(`${asset}/${path}`)?.byteLength).toBe(bytes);
  });

  it('says how far it is, from nothing to all of it', async () => {
    const seen: number[] = [];
    await run(createSpanTask(encoder), { ...span, end_ms: null }, await storeWith(film), {
      report: (done) => seen.push(done),
    });
    expect(seen.at(-1)).toBeGreaterThan(0.9);
    for (const done of seen) expect(done >= 0 && done <= 1).toBe(true);
  });

  it('that is stopped rejects with the reason of the stop, half a second later at the most', async () => {
    const endless = make([
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=640x360:rate=25:duration=20',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    ]);
    const abort = new AbortController();
    let at = 0;
    const report = () => {
      at ||= performance.now();
      abort.abort(new Error('cancelled'));
    };
    const slow = { ...encoder, preset: 'veryslow' };
    const wide = { ...span, rung: { ...rung, width: 640, height: 360 }, start_ms: 0, end_ms: null };
    const ending = run(createSpanTask(slow), wide, await storeWith(endless), { signal: abort.signal, report });
    await expect(ending).rejects.toThrow('cancelled');
    expect(performance.now() - at).toBeLessThan(500);
  });

  it('whose store is full fails, and may be tried again', async () => {
    const store = await storeWith(film);
    store.failWith({ kind: 'full', message: 'no space' });
    const result = await run(createSpanTask(encoder), span, store);
    expect(result).toMatchObject({ ok: false, error: { code: 'store-full', retryable: true } });
  });

  it('of a source that is gone fails for good', async () => {
    const result = await run(createSpanTask(encoder), span, openMemoryStore());
    expect(result).toMatchObject({ ok: false, error: { code: 'file-missing', retryable: false } });
  });

  it('of a damaged file has all its frames, the lost ones shown as the one before', async () => {
    const transport = Buffer.from(make(['-i', await fileOf(film), '-c', 'copy'], 'mpegts'));
    for (let at = Math.floor(transport.length / 4); at < transport.length / 3; at += 97) transport[at] = 0x5a;
    const result = expectOk(
      await run(createSpanTask(encoder), { ...span, start_ms: 0 }, await storeWith(transport)),
      'span',
    );
    const total = result.track.segments.reduce((sum, segment) => sum + segment.duration_ms, 0);
    expect(total).toBeCloseTo(3_000, 3);
  });
});

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'film.mkv');
  await writeFile(path, bytes);
  return path;
}

describe('a poster', () => {
  it('is not black, and the storyboard shows a picture of each second where its text says', async () => {
    const store = await storeWith(film);
    // the file is said to be a little longer than its pictures go
    const spec = { kind: 'poster', source, asset, duration_ms: 8_600, width: 320, height: 180 } as const;
    const result = expectOk(await run(createPosterTask(encoder), spec, store), 'poster');
    expect(result).toEqual({
      kind: 'poster',
      poster: 'poster.jpg',
      storyboard: 'storyboard.vtt',
      width: 320,
      height: 180,
    });
    const mean = (key: string, crop: string) => {
      const args = [
        '-v',
        'error',
        '-f',
        'jpeg_pipe',
        '-i',
        '-',
        '-vf',
        `${crop},scale=1:1:flags=area,format=gray`,
        '-f',
        'rawvideo',
        '-',
      ];
      return execFileSync('ffmpeg', args, { input: store.objects.get(key) })[0] ?? 0;
    };
    expect(mean(`${asset}/poster.jpg`, 'null')).toBeGreaterThan(40);
    const cues = [
      ...textOf(store, `${asset}/storyboard.vtt`).matchAll(/^(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm),
    ];
    expect(cues.map(([, from, to]) => `${from} ${to}`)).toEqual(
      Array.from({ length: 9 }, (_, i) => `00:00:0${i}.000 00:00:0${i === 8 ? '8.600' : `${i + 1}.000`}`),
    );
    const brightness = cues.map(([, , , file, x, y, w, h]) => mean(`${asset}/${file}`, `crop=${w}:${h}:${x}:${y}`));
    expect(brightness[0]).toBeLessThan(25);
    for (const one of brightness.slice(3)) expect(one).toBeGreaterThan(40);
  });

  it('of a film that is all black is black, and no failure', async () => {
    const black = make([
      '-f',
      'lavfi',
      '-i',
      'color=black:size=64x36:rate=25:duration=1',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    ]);
    const spec = { kind: 'poster', source, asset, duration_ms: 1_000, width: 64, height: 36 } as const;
    expect(await run(createPosterTask(encoder), spec, await storeWith(black))).toMatchObject({ ok: true });
  });
});

it('audio that is only listened to writes nothing into the asset', async () => {
  const store = await storeWith(film);
  const spec = { kind: 'audio', source, asset: null, duration_ms: 8_000, speech: 'work/job_1/speech.wav' } as const;
  expect(await run(createAudioTask(encoder), spec, store)).toEqual({
    ok: true,
    value: { kind: 'audio', track: null, speech: 'work/job_1/speech.wav' },
  });
  expect([...store.objects.keys()].sort()).toEqual([source, 'work/job_1/speech.wav'].sort());
  expect(Math.abs((store.objects.get('work/job_1/speech.wav')?.byteLength ?? 0) / 32 - 8_000)).toBeLessThan(50);
});

describe('publishing', () => {
  const track = (name: string, starts: readonly number[]) => ({
    ...{ codec: 'avc1.64001f', init: `video-${name}/init-1.mp4`, timescale: 1_000 },
    segments: starts.map((start) => ({ path: `video-${name}/s${start}.m4s`, duration_ms: 1_000, bytes: 50_000 })),
  });
  const spanOf = (name: string, number: number): TaskResult => ({
    ...{ kind: 'span', rung: { ...rung, name }, span: number },
    track: track(name, [number * 2_000, number * 2_000 + 1_000]),
  });
  const subtitles = (language: string): TaskResult => ({
    kind: 'subtitles',
    outcome: {
      ...{ kind: 'written', language, vtt: `subtitles-${language}.vtt`, cues: 1, words: 2, engine: 'test' },
      segments: [{ path: `subtitles-${language}/0.vtt`, duration_ms: 4_000, bytes: 60 }],
    },
  });
  const spec = { kind: 'publish', asset, duration_ms: 4_000, final: true } as const;

  /** A store that has what `results` list. */
  async function storeOf(results: readonly TaskResult[]): Promise<MemoryStore> {
    const store = openMemoryStore();
    for (const result of results) {
      if (result.kind === 'span') {
        for (const path of [result.track.init, ...result.track.segments.map((one) => one.path)])
          await store.put(`${asset}/${path}`, [new Uint8Array(50_000)]);
      } else if (result.kind === 'subtitles' && result.outcome.kind === 'written') {
        for (const path of [result.outcome.vtt, ...result.outcome.segments.map((one) => one.path)])
          await store.put(`${asset}/${path}`, [new Uint8Array(60)]);
      }
    }
    return store;
  }

  it('lists whole rungs with subtitles, at bit rates of what is really there', async () => {
    const inputs = [spanOf('90p', 1), spanOf('90p', 0), subtitles('en')];
    const store = await storeOf(inputs);
    const result = expectOk(await run(createPublishTask(), spec, store, { inputs }), 'publish');
    expect(result).toMatchObject({ rungs: [{ name: '90p' }] });
    expect(textOf(store, `${asset}.m3u8`)).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="ast_1/subtitles-en/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=400000,CODECS="avc1.64001f",RESOLUTION=160x90,FRAME-RATE=25,SUBTITLES="subtitles"
ast_1/video-90p/index.m3u8
`);
    expect(textOf(store, `${asset}/subtitles-en/index.m3u8`)).toContain('#EXTINF:4.00000,\n0.vtt\n');
    expect(textOf(store, `${asset}.mpd`)).toContain('<BaseURL>ast_1/subtitles-en.vtt</BaseURL>');
  });

  it('renews a part and leaves the rest as it was', async () => {
    const inputs = [spanOf('90p', 0), subtitles('en')];
    const store = await storeOf([...inputs, subtitles('de')]);
    expectOk(await run(createPublishTask(), spec, store, { inputs }), 'first');
    expectOk(await run(createPublishTask(), { ...spec, renew: true }, store, { inputs: [subtitles('de')] }), 'second');
    const text = textOf(store, `${asset}.m3u8`);
    expect(text).toContain('LANGUAGE="de"');
    expect(text).not.toContain('LANGUAGE="en"');
    expect(text).toContain('ast_1/video-90p/index.m3u8');
    expectOk(await run(createPublishTask(), { ...spec, renew: true }, store), 'third');
    expect(textOf(store, `${asset}.m3u8`)).toBe(text);
  });

  it('leaves DASH out when spans of a rung were encoded unlike each other, and says it in HLS', async () => {
    const other = spanOf('90p', 1);
    if (other.kind === 'span') other.track.init = 'video-90p/init-2.mp4';
    const inputs = [spanOf('90p', 0), other];
    const store = await storeOf(inputs);
    expectOk(await run(createPublishTask(), spec, store, { inputs }), 'publish');
    expect(store.objects.has(`${asset}.mpd`)).toBe(false);
    expect(textOf(store, `${asset}/video-90p/index.m3u8`).match(/EXT-X-MAP/g)?.length).toBe(2);
  });

  it('writes nothing that leads nowhere', async () => {
    const inputs = [spanOf('90p', 0), spanOf('90p', 1)];
    const store = await storeOf(inputs);
    await store.delete(`${asset}/video-90p/s3000.m4s`);
    const missing = await run(createPublishTask(), spec, store, { inputs });
    expect(missing).toMatchObject({ ok: false, error: { code: 'files-missing', retryable: true } });
    const gap = await run(createPublishTask(), spec, store, { inputs: [spanOf('90p', 0), spanOf('90p', 2)] });
    expect(gap).toMatchObject({ ok: false, error: { code: 'incomplete', retryable: false } });
    const uneven = await run(createPublishTask(), spec, store, { inputs: [...inputs, spanOf('45p', 0)] });
    expect(uneven).toMatchObject({ ok: false, error: { code: 'incomplete' } });
    expect([...store.objects.keys()].some((key) => key.endsWith('.m3u8'))).toBe(false);
  });
});

it('nothing was left in scratch by any of these', async () => {
  expect((await readdir(folder)).filter((name) => name.startsWith('scratch-'))).toEqual([]);
  expect((await readFile(join(folder, 'film.mkv'))).length).toBeGreaterThan(0);
});
