import type { ResultOf } from '@millrace/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { composeSteps, createComposePipeline } from './compose-pipeline.ts';
import type { ComposeRequest } from './compose-request.ts';
import { planGains, planTarget } from './compose-target.ts';
import type { Advance, PlannedTask, TaskOutcome } from './pipeline.ts';

const pipeline = createComposePipeline();

interface Shape {
  /** Files of one format have one fingerprint. */
  readonly format: number;
  readonly joinable: boolean;
  readonly lengthMs: number;
  readonly lufs: number | null;
  readonly codec?: string;
}
const shape: fc.Arbitrary<Shape> = fc.record({
  format: fc.nat(2),
  joinable: fc.boolean(),
  lengthMs: fc.integer({ min: 100, max: 100_000 }),
  lufs: fc.option(fc.integer({ min: -40, max: -10 }), { nil: null }),
});
const shapes = fc.array(shape, { minLength: 2, maxLength: 12 });

function inspected({ format, joinable, lengthMs, lufs, codec = 'aac' }: Shape): ResultOf<'inspect'> {
  const video = {
    ...{ codec: 'h264', profile: 'High', width: 320 + format * 2, height: 180, frames_per_second: 30 },
    ...{ bits_per_second: null, pixel_format: 'yuv420p', rotation: 0 },
  };
  const audio = { codec, profile: null, channels: 2, sample_rate: 48_000, bits_per_second: null, language: null };
  return {
    ...{ kind: 'inspect', joinable, fingerprint: `${format} ${joinable}`, sets_ids: [0], length_ms: lengthMs },
    ...{ loudness_lufs: lufs, peak_dbfs: lufs === null ? null : lufs + 9, trim_on_keyframe: true },
    media: { container: 'mov', duration_ms: lengthMs, size_bytes: 1, video, audio: lufs === null ? null : audio },
  };
}

function requestOf(count: number, given: Partial<ComposeRequest> = {}): ComposeRequest {
  return {
    ...{ composition_id: 'cmp_1', owner_id: 'own_1', title: 't', visibility: 'public' },
    ...{ video_id: 'vid_out', playback_id: 'play_1', asset: 'videos/vid_out/ast_1', output: 'videos/vid_out/source' },
    work: 'work/job_1',
    inputs: Array.from({ length: count }, (_, i) => ({
      video_id: `vid_${i}`,
      source: `videos/${i}/source`,
      trim: null,
    })),
    ...{ transition: { kind: 'cut', duration_ms: 0 }, target: null, even_loudness: true },
    ...given,
  };
}

/** Feeds the inspections in the given order; everything that was planned behind the last one. */
function inspectAll(
  request: ComposeRequest,
  of: (task: PlannedTask) => ResultOf<'inspect'>,
  order?: (i: number) => number,
) {
  const done = new Map<string, TaskOutcome>();
  const tasks = [...pipeline.plan(request).tasks].sort((a, b) =>
    order ? order(Number(a.key.slice(8))) - order(Number(b.key.slice(8))) : 0,
  );
  let last: Advance = { tasks: [], skipped: [] };
  for (const [i, task] of tasks.entries()) {
    const outcome = { key: task.key, spec: task.spec, result: of(task) };
    done.set(task.key, outcome);
    const next = pipeline.advance(request, outcome, done);
    if (i < tasks.length - 1) expect(next).toEqual({ tasks: [], skipped: [] });
    last = next;
  }
  return { last, done };
}
const indexOf = (task: PlannedTask) => Number(task.key.slice('inspect/'.length));

it('weights sum to 100 and every planned task belongs to a step', () => {
  expect(composeSteps.reduce((sum, step) => sum + step.weight, 0)).toBe(100);
  const names = new Set<string>(composeSteps.map((step) => step.name));
  const request = requestOf(3);
  const { last } = inspectAll(request, () => inspected({ format: 0, joinable: false, lengthMs: 1, lufs: null }));
  for (const task of [...pipeline.plan(request).tasks, ...last.tasks]) expect(names.has(task.step)).toBe(true);
});

it('exactly the inputs that do not fit the largest group that can be copied are normalised', () => {
  fc.assert(
    fc.property(shapes, (all) => {
      const request = requestOf(all.length);
      const { last } = inspectAll(request, (task) => inspected(all[indexOf(task)] as Shape));
      const { odd } = planTarget(request, all.map(inspected));
      const normalised = last.tasks.filter((task) => task.spec.kind === 'normalise').map((task) => task.key);
      expect(normalised).toEqual(odd.flatMap((is, i) => (is ? [`normalise/${i}`] : [])));
      const fitting = all.filter((_, i) => odd[i] === false);
      expect(new Set(fitting.map((one) => one.format)).size).toBeLessThanOrEqual(1);
      for (const one of fitting) expect(one.joinable).toBe(true);
      for (const format of [0, 1, 2]) {
        const size = all.filter((one) => one.joinable && one.format === format).length;
        expect(size).toBeLessThanOrEqual(fitting.length);
      }
      expect(last.skipped.map((one) => one.step)).toEqual(normalised.length === 0 ? ['normalise'] : []);
      const join = last.tasks.at(-1);
      expect(join?.spec.kind === 'join' && join.spec.inputs.map((one) => one.source)).toEqual(
        odd.map((is, i) => (is ? `work/job_1/normalised-${i}.mp4` : `videos/${i}/source`)),
      );
      const sound = last.tasks.filter((task) => task.spec.kind === 'sound');
      expect(join?.after).toEqual([...normalised, ...sound.map((task) => task.key)]);
    }),
  );
});

it('the order in which inspections come back changes nothing of the plan', () => {
  fc.assert(
    fc.property(shapes, fc.integer(), (all, seed) => {
      const request = requestOf(all.length);
      const of = (task: PlannedTask) => inspected(all[indexOf(task)] as Shape);
      const shuffled = inspectAll(request, of, (i) => Math.sin(seed + i * 7));
      expect(shuffled.last).toEqual(inspectAll(request, of).last);
    }),
    { numRuns: 50 },
  );
});

it('a video that is taken twice the same way is inspected and normalised once', () => {
  const again = { video_id: 'vid_0', source: 'videos/0/source', trim: { start_ms: 0, end_ms: 500 } };
  const other = { ...again, trim: { start_ms: 0, end_ms: 900 } };
  const request = requestOf(0, { inputs: [again, again, other] });
  expect(pipeline.plan(request).tasks.map((task) => task.key)).toEqual(['inspect/0', 'inspect/2']);
  const { last } = inspectAll(request, () => inspected({ format: 0, joinable: false, lengthMs: 500, lufs: null }));
  expect(last.tasks.map((task) => task.key)).toEqual(['normalise/0', 'normalise/2', 'join']);
});

it('a wished size is what everything is brought to, and inputs that have it are copied', () => {
  const all = [0, 1, 0].map((format) => inspected({ format, joinable: true, lengthMs: 1_000, lufs: null }));
  const wished = planTarget({ target: { width: 322, height: 180, frames_per_second: null } }, all);
  expect(wished.odd).toEqual([true, false, true]);
  expect(wished.target).toMatchObject({ width: 322, height: 180, frames_per_second: 30 });
  const other = planTarget({ target: { width: 640, height: 360, frames_per_second: 25 } }, all);
  expect(other).toMatchObject({ odd: [true, true, true], target: { width: 640, height: 360, frames_per_second: 25 } });
});

it('gains make inputs equally loud without clipping, and leave alone what nobody hears', () => {
  fc.assert(
    fc.property(shapes, (all) => {
      const inputs = all.map(inspected);
      const gains = planGains(inputs);
      const heard = inputs.flatMap(({ loudness_lufs: lufs }, i) => (lufs === null ? [] : [lufs + (gains[i] ?? 0)]));
      for (const [i, gain] of gains.entries()) {
        if (inputs[i]?.loudness_lufs === null) expect(gain).toBe(0);
        if (gain > 0) expect((inputs[i]?.peak_dbfs ?? 0) + gain).toBeLessThanOrEqual(-1 + 0.01);
      }
      if (heard.length > 1 && inputs.every((one) => (one.peak_dbfs ?? -99) < -20)) {
        expect(Math.max(...heard) - Math.min(...heard)).toBeLessThanOrEqual(1.02);
      }
    }),
  );
  const [near, far] = [
    [-20, -20.4, -26, -20.2],
    [-20, -25],
  ].map((all) => planGains(all.map((lufs) => inspected({ format: 0, joinable: true, lengthMs: 1_000, lufs }))));
  expect(near).toEqual([0, 0, 5.6, 0]); // most of them are alike, so they are copied
  expect(far).toEqual([-5, 0]);
  const alike = [-20, -20.4].map((lufs) => inspected({ format: 0, joinable: true, lengthMs: 1_000, lufs }));
  expect(planGains(alike)).toEqual([0, 0]);
});

it('sound is encoded by as many tasks as it has spans, where an input is louder or unlike, and the join waits for them', () => {
  const soundOf = (all: readonly Shape[], given: Partial<ComposeRequest> = {}) => {
    const request = requestOf(all.length, given);
    const { last } = inspectAll(request, (task) => inspected(all[indexOf(task)] as Shape));
    const sound = last.tasks.filter((task) => task.spec.kind === 'sound');
    expect(last.tasks.at(-1)?.after).toEqual(expect.arrayContaining(sound.map((task) => task.key)));
    for (const { step, after } of sound) {
      expect({ step, after }).toEqual({
        step: 'join',
        after: last.tasks.flatMap(({ key }) => (key.startsWith('norm') ? [key] : [])),
      });
    }
    return sound.map(({ spec }) => spec.kind === 'sound' && `${spec.part}/${spec.parts} ${spec.keep.work}`);
  };
  const minutes = (count: number, lufs: number | null, codec = 'aac'): Shape => {
    return { format: 0, joinable: true, lengthMs: count * 60_000, lufs, codec };
  };
  expect(soundOf([minutes(2, -20), minutes(3, -20)])).toEqual([]);
  expect(soundOf([minutes(2, -20), minutes(3, -20, 'mp3')])).toHaveLength(3);
  expect(soundOf([minutes(2, -20), minutes(1, -26)])).toEqual(['0/1 work/job_1']); // only what is far from most of the time
  expect(soundOf([minutes(2, -20), minutes(1, -26)], { even_loudness: false })).toEqual([]);
  expect(soundOf([minutes(2, -20), minutes(1, -20)], { transition: { kind: 'fade', duration_ms: 500 } })).toHaveLength(
    3,
  );
  expect(soundOf([minutes(2, null), minutes(1, null)], { transition: { kind: 'fade', duration_ms: 500 } })).toEqual([]);
  expect(soundOf([minutes(600, -20), minutes(600, -26)])).toHaveLength(32);
  expect(soundOf([minutes(2, -20), { ...minutes(1, -26), joinable: false }])).toEqual([]); // that gain is given with the pictures
});

it('the poster and the playlists follow the join, and nothing follows them', () => {
  const request = requestOf(2);
  const media = inspected({ format: 0, joinable: true, lengthMs: 1_000, lufs: null }).media;
  const result = { kind: 'join', media, method: 'copy', encoded_ms: 0, bytes: 1, rendition: {} } as never;
  const joined = { key: 'join', spec: {} as never, result };
  const { tasks } = pipeline.advance(request, joined, new Map([['join', joined]]));
  expect(tasks.map(({ key, after, optional }) => ({ key, after, optional: optional === true }))).toEqual([
    { key: 'poster', after: ['join'], optional: true },
    { key: 'publish', after: ['join'], optional: false },
  ]);
});
