import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import type { JoinTarget } from '@millrace/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeWords, JoinRig, packetsOf, run } from '../testing/join-rig.ts';

const [a, b, odd, turned] = ['videos/a/source', 'videos/b/source', 'videos/odd/source', 'videos/turned/source'];
const target: JoinTarget = {
  ...{ width: 320, height: 180, frames_per_second: 30, profile: 'high' },
  ...{ sample_rate: 48_000, channels: 2, sets_id: 31 },
};
const whole = (source: string, gain_db = 0) => ({ source, trim: null, gain_db });
const frameS = 1 / 30;

let rig: JoinRig;
beforeAll(async () => {
  rig = await JoinRig.open();
  await rig.clip(a, {});
  await rig.clip(b, { hue: 90, tone: 660, volumeDb: -6 });
  await rig.clip(odd, { size: '160x120', rate: '25', seconds: 2, tone: 0 });
  await rig.clip(turned, { seconds: 2, rotate: 90 });
}, 120_000);
afterAll(() => rig[Symbol.asyncDispose]());

const out = () => rig.path('videos/out/source');

/** SSIM of every frame of the output against a graph over the inputs `[1:v]`, `[2:v]`. */
function ssim(reference: string, inputs: readonly string[]): readonly number[] {
  const files = [out(), ...inputs.map((key) => rig.path(key))].flatMap((path) => ['-i', path]);
  const graph = `${reference}[ref];[0:v][ref]ssim=stats_file=-`;
  const text = run('ffmpeg', ['-v', 'error', ...files, '-filter_complex', graph, '-f', 'null', '-']);
  return [...text.matchAll(/All:([\d.]+)/g)].map((match) => Number(match[1]));
}

/** Sound as samples of one channel, -1..1. */
function samplesOf(path: string, rate = 48_000): Float32Array {
  const args = ['-v', 'error', '-i', path, '-ac', '1', '-ar', String(rate), '-f', 'f32le', '-'];
  const pcm = execFileSync('ffmpeg', args, { maxBuffer: 1e8 });
  return new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));
}

/** Sound over what is not of it, dB: of the worst 20 ms, without those around `except`, s. */
function worstOf(heard: Float32Array, meant: Float32Array, except?: number): number {
  expect(Math.abs(heard.length - meant.length)).toBeLessThan(1_024);
  let worst = Number.POSITIVE_INFINITY;
  for (let from = 2_048; from + 3_072 < meant.length; from += 1_024) {
    if (except !== undefined && Math.abs(from - except * 48_000) < 3_072) continue;
    let [wanted, wrong] = [0, 0];
    for (let i = from; i < from + 1_024; i++) {
      wanted += (meant[i] ?? 0) ** 2;
      wrong += ((heard[i] ?? 0) - (meant[i] ?? 0)) ** 2;
    }
    worst = Math.min(worst, 10 * Math.log10(wanted / wrong));
  }
  return worst;
}

/** When 660 Hz becomes louder than 440 Hz, s. */
function toneChange(path: string): number {
  const rate = 8_000;
  const samples = samplesOf(path, rate);
  const power = (from: number, hz: number) => {
    let [re, im] = [0, 0];
    for (let i = 0; i < 160; i++) {
      const phase = (2 * Math.PI * hz * i) / rate;
      re += (samples[from + i] ?? 0) * Math.cos(phase);
      im += (samples[from + i] ?? 0) * Math.sin(phase);
    }
    return re * re + im * im;
  };
  for (let from = 0; from + 160 < samples.length; from += 20) {
    if (power(from, 660) > power(from, 440)) return (from + 80) / rate;
  }
  return Number.NaN;
}

/** Every frame follows the one before by one frame, none goes back, and ffmpeg decodes all of it without a word. */
function expectSteady(path: string, frames: number): void {
  expect(decodeWords(path)).toBe('');
  const pictures = packetsOf(path, 'v:0');
  expect(pictures.length).toBe(frames);
  for (const stream of [pictures, packetsOf(path, 'a:0')]) {
    expect(stream.every((packet, i) => i === 0 || packet.dts > (stream[i - 1]?.dts ?? 0))).toBe(true);
  }
  const times = pictures.map((packet) => packet.pts).sort((x, y) => x - y);
  expect(times[0]).toBe(0);
  for (const [i, time] of times.entries()) expect(Math.abs(time - i * frameS)).toBeLessThan(0.001);
}

it('videos that are alike are joined to the bit: no picture and no sound is encoded', async () => {
  const [one, two] = [await rig.inspect(a, null, false), await rig.inspect(b, null, false)];
  expect(one).toMatchObject({ joinable: true, trim_on_keyframe: true, sets_ids: [0], loudness_lufs: null });
  expect(two.fingerprint).toBe(one.fingerprint);
  const joined = await rig.join([whole(a), whole(b)], target);
  expect(joined).toMatchObject({ method: 'copy', encoded_ms: 0, media: { duration_ms: 8_000 } });
  expectSteady(out(), 240);
  expect(Math.min(...ssim('[1:v][2:v]concat=n=2:v=1', [a, b]))).toBe(1);
  expect(Math.abs(toneChange(out()) - 4)).toBeLessThan(frameS);
  const { video, audio } = joined.rendition;
  for (const track of [video, audio]) {
    const lengthMs = track?.segments.reduce((sum, segment) => sum + segment.duration_ms, 0) ?? 0;
    expect(Math.abs(lengthMs - 8_000)).toBeLessThan(1_000 * frameS);
    for (const path of [track?.init, ...(track?.segments.map((segment) => segment.path) ?? [])]) {
      expect(existsSync(rig.path(`videos/out/a/${path}`))).toBe(true);
    }
  }
  expect(rig.scratch).toEqual([]);
}, 120_000);

it('a video of another size and rate without sound, and a turned one, are brought to the others, which are copied', async () => {
  const [strange, sideways] = [await rig.inspect(odd, null), await rig.inspect(turned, null)];
  expect(strange.fingerprint).not.toBe((await rig.inspect(a, null, false)).fingerprint);
  expect(strange.loudness_lufs).toBeNull();
  expect(sideways).toMatchObject({ joinable: false, media: { video: { width: 180, height: 320 } } });
  expect(sideways.loudness_lufs ?? 0).toBeCloseTo(-21.8, 0);
  const made = await rig.normalise({ source: odd, output: 'work/j/0.mp4', trim: null, target, gain_db: 0 });
  expect(made.media).toMatchObject({ duration_ms: 2_000, video: { width: 320, height: 180 }, audio: { channels: 2 } });
  await rig.normalise({
    source: turned,
    output: 'work/j/1.mp4',
    trim: { start_ms: 500, end_ms: 1_500 },
    target,
    gain_db: 0,
  });
  const joined = await rig.join([whole(a), whole('work/j/0.mp4'), whole('work/j/1.mp4'), whole(b)], target);
  expect(joined).toMatchObject({ method: 'copy', media: { duration_ms: 11_000 } });
  expectSteady(out(), 330);
  const fitted = 'fps=30,scale=240:180:flags=bicubic,pad=320:180:40:0,setsar=1';
  const upright = 'trim=0.5:1.5,setpts=PTS-STARTPTS,scale=102:180:flags=bicubic,pad=320:180:109:0,setsar=1';
  const reference = `[2:v]${fitted}[o];[3:v]${upright}[t];[1:v][o][t][4:v]concat=n=4:v=1`;
  expect(Math.min(...ssim(reference, [a, odd, turned, b]))).toBeGreaterThan(0.95);
}, 120_000);

it('a video that is brought to the others is encoded in spans of which none is made twice, and no frame is lost where they meet', async () => {
  await rig.clip('videos/slow/source', { size: '160x120', rate: '73/10', seconds: 5, tone: 880 });
  const keep = { work: 'work/job_spans', span_ms: 2_000 };
  const spec = { source: 'videos/slow/source', output: 'work/job_spans/normalised-0.mp4', target, gain_db: 0, keep };
  const trim = { start_ms: 500, end_ms: 5_000 };
  const abort = new AbortController();
  const kept = () => readdirSync(rig.path(keep.work)).filter((name) => name.startsWith('normalised-0-'));
  rig.onReport = () => {
    if (existsSync(rig.path(keep.work)) && kept().length === 1) abort.abort(new Error('killed'));
  };
  await expect(rig.normalise({ ...spec, trim }, abort.signal)).rejects.toThrow('killed');
  rig.onReport = () => {};
  const marks = () => kept().map((name) => `${name} ${statSync(rig.path(`${keep.work}/${name}`)).mtimeMs}`);
  const before = marks();
  const made = await rig.normalise({ ...spec, trim });
  const frames = Math.round((made.media.duration_ms * 30) / 1_000);
  expect(Math.abs(frames - 135)).toBeLessThanOrEqual(5); // it is cut between pictures
  expect(marks()).toEqual(expect.arrayContaining(before));
  expect(kept()).toHaveLength(3);
  await rig.join([whole(a), whole(spec.output), whole(b)], target);
  expectSteady(out(), 240 + frames);
  const cut = 'trim=0.5:5,setpts=PTS-STARTPTS,fps=30';
  const fitted = 'scale=240:180:flags=bicubic,pad=320:180:40:0,setsar=1,tpad=stop=-1:stop_mode=clone';
  const values = ssim(`[2:v]${cut},${fitted},trim=end_frame=${frames}[o];[1:v][o][3:v]concat=n=3:v=1`, [
    a,
    spec.source,
    b,
  ]);
  expect(Math.min(...values)).toBeGreaterThan(0.95);
}, 120_000);

it('a trim between keyframes encodes only what lies before the next one, and a gain only the sound', async () => {
  const trim = { start_ms: 500, end_ms: 3_500 };
  expect((await rig.inspect(a, trim, false)).trim_on_keyframe).toBe(false);
  const joined = await rig.join([{ ...whole(a, -6), trim }, whole(b)], target);
  expect(joined).toMatchObject({ method: 'encode', media: { duration_ms: 7_000 } });
  expect(joined.encoded_ms).toBeLessThanOrEqual(1_000);
  expectSteady(out(), 210);
  const reference = '[1:v]trim=0.5:3.5,setpts=PTS-STARTPTS[t];[t][2:v]concat=n=2:v=1';
  expect(Math.min(...ssim(reference, [a, b]))).toBeGreaterThan(0.95);
  expect(Math.abs(toneChange(out()) - 3)).toBeLessThan(frameS);
  const levels = [0, 3].map((from) => {
    const filter = `atrim=${from}:${from + 3},ebur128=metadata=1,ametadata=mode=print:key=lavfi.r128.I:file=-`;
    const text = run('ffmpeg', ['-v', 'error', '-i', out(), '-af', filter, '-f', 'null', '-']);
    return Number(text.trim().split('=').at(-1));
  });
  expect(Math.abs((levels[0] ?? 0) - (levels[1] ?? 99))).toBeLessThan(1);
}, 120_000);

it('a crossfade overlaps its inputs, encodes only its surroundings, and sounds the same in spans that meet in its middle', async () => {
  const crossfade = { kind: 'crossfade', duration_ms: 600 } as const;
  const joined = await rig.join([whole(a), whole(b)], target, crossfade);
  expect(joined).toMatchObject({ method: 'encode', media: { duration_ms: 7_400 } });
  expect(joined.encoded_ms).toBeLessThan(2_000);
  expectSteady(out(), 222);
  const values = ssim('[1:v]trim=end=3.4,setpts=PTS-STARTPTS[x];[2:v]setpts=PTS-STARTPTS[y];[x][y]concat=n=2:v=1', [
    a,
    b,
  ]);
  const outside = values.filter((_, i) => i < 102 || i >= 120);
  expect(Math.min(...outside)).toBeGreaterThan(0.95);
  expect(Math.min(...values.slice(102, 112))).toBeLessThan(0.95); // there the first one still shows
  const change = toneChange(out());
  expect(change).toBeGreaterThan(3.4);
  expect(change).toBeLessThan(4);
  const inOneGo = samplesOf(out());
  // the second video begins at 3.4 s
  await rig.join([whole(a), whole(b)], target, crossfade, undefined, { work: 'work/job_short', span_ms: 600 });
  const starts = readdirSync(rig.path('work/job_short')).flatMap((name) => /^sound-(\d+)/.exec(name)?.[1] ?? []);
  expect(starts.some((start) => Number(start) > 160 && Number(start) < 187)).toBe(true);
  expect(worstOf(samplesOf(out()), inOneGo)).toBeGreaterThan(30);
}, 120_000);

it('a fade keeps the length of its inputs and is black where they meet', async () => {
  const joined = await rig.join([whole(a), whole(b)], target, { kind: 'fade', duration_ms: 400 });
  expect(joined).toMatchObject({ method: 'encode', media: { duration_ms: 8_000 } });
  expectSteady(out(), 240);
  const filter = 'trim=start_frame=119:end_frame=121,signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-';
  const text = run('ffmpeg', ['-v', 'error', '-i', out(), '-vf', filter, '-f', 'null', '-']);
  const light = [...text.matchAll(/YAVG=([\d.]+)/g)].map((match) => Number(match[1]));
  expect(light.length).toBe(2);
  for (const one of light) expect(one).toBeLessThan(45);
}, 120_000);

it('sound that is evened is encoded in spans of which none is made twice, and nobody hears where they meet', async () => {
  const keep = { work: 'work/job_even', span_ms: 1_100 };
  const inputs = [whole(a), whole(b, -6)];
  const spec = { inputs, target, transition: { kind: 'cut', duration_ms: 0 }, keep, parts: 2 } as const;
  const kept = () => readdirSync(rig.path(keep.work)).filter((name) => name.startsWith('sound-'));
  expect(await rig.sound({ ...spec, part: 1 })).toEqual({ kind: 'sound', spans: 2 });
  const first = kept();
  expect(first).toHaveLength(2); // of the second half of the second video: the first one is copied
  const marks = first.map((name) => statSync(rig.path(`${keep.work}/${name}`)).mtimeMs);
  // the worker of the other part has died: the join makes that, and takes the rest
  await rig.join(inputs, target, undefined, undefined, keep);
  expect(kept()).toHaveLength(4);
  expect(first.map((name) => statSync(rig.path(`${keep.work}/${name}`)).mtimeMs)).toEqual(marks);
  expectSteady(out(), 240);
  const lowered = samplesOf(rig.path(b)).map((sample) => sample * 10 ** (-6 / 20));
  const meant = Float32Array.from([...samplesOf(rig.path(a)).subarray(0, 192_000), ...lowered]);
  expect(worstOf(samplesOf(out()), meant, 4)).toBeGreaterThan(45);
  expect(Math.abs(toneChange(out()) - 4)).toBeLessThan(frameS);
}, 120_000);

it('a join that was stopped goes on with the pictures that it had encoded', async () => {
  const keep = { work: 'work/job_again', span_ms: 60_000 };
  const abort = new AbortController();
  rig.onReport = () => {
    if (existsSync(rig.path(keep.work))) abort.abort(new Error('killed'));
  };
  const inputs = [whole(a, -1), { ...whole(b), trim: { start_ms: 500, end_ms: 3_500 } }, whole(a)];
  await expect(rig.join(inputs, target, undefined, abort.signal, keep)).rejects.toThrow('killed');
  rig.onReport = () => {};
  const before = readdirSync(rig.path(keep.work)).map(
    (name) => `${name} ${statSync(rig.path(`${keep.work}/${name}`)).mtimeMs}`,
  );
  expect(before.length).toBeGreaterThan(0);
  await rig.join(inputs, target, undefined, undefined, keep);
  const after = readdirSync(rig.path(keep.work)).map(
    (name) => `${name} ${statSync(rig.path(`${keep.work}/${name}`)).mtimeMs}`,
  );
  expect(after).toEqual(expect.arrayContaining(before));
  expectSteady(out(), 330);
}, 120_000);

it('a join that is stopped in the middle leaves no process, no scratch file and no output', async () => {
  await rig.clip('videos/long/source', { seconds: 20, more: ['-bf', '0'] });
  const empty = await JoinRig.open();
  await using stopped = empty;
  for (const key of ['videos/x/source', 'videos/y/source']) {
    const path = `${stopped.folder}/copy-${key.at(7)}`;
    copyFileSync(rig.path('videos/long/source'), path);
    await stopped.store.putFile(key, path);
  }
  const abort = new AbortController();
  const trims = { start_ms: 500, end_ms: 19_500 };
  const inputs = ['videos/x/source', 'videos/y/source'].map((source) => ({ source, trim: trims, gain_db: 1 }));
  stopped.onReport = (done) => {
    if (done > 0.3) abort.abort(new Error('cancelled'));
  };
  const transition = { kind: 'crossfade', duration_ms: 5_000 } as const;
  await expect(stopped.join(inputs, target, transition, abort.signal)).rejects.toThrow('cancelled');
  expect(stopped.scratch).toEqual([]);
  const left: string[] = [];
  for await (const { key } of stopped.store.list('videos/out/')) left.push(key);
  expect(left).toEqual([]);
  expect(
    run('ps', ['-eo', 'args'])
      .split('\n')
      .filter((line) => line.includes(`${stopped.folder}/`)),
  ).toEqual([]);
}, 120_000);
