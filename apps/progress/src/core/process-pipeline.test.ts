import { processingSteps, type SpecOf, type TaskResult, taskSpecSchema } from '@millrace/api';
import { checkWeights } from '@millrace/job';
import { defaultLadder } from '@millrace/ladder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlannedTask, TaskOutcome } from './pipeline.ts';
import { createProcessPipeline, type ProcessPipelineOptions } from './process-pipeline.ts';
import type { ProcessRequest } from './process-request.ts';

const options: ProcessPipelineOptions = {
  weights: processingSteps,
  limits: { max_duration_ms: 3_600_000, max_pixels: 33_177_600, max_frames_per_second: 240 },
  ladder: defaultLadder,
  segmentMs: 4_000,
  spanMs: () => 24_000,
};
const request: ProcessRequest = {
  video_id: 'vid_1',
  source: 'videos/vid_1/source',
  asset: 'videos/vid_1/ast_1',
  work: 'work/job_1',
  language: 'en',
  steps: null,
  previous: [],
};
const pipeline = createProcessPipeline(options);

const video = fc.record({
  codec: fc.constant('h264'),
  profile: fc.constant(null),
  width: fc.integer({ min: 16, max: 4_096 }),
  height: fc.integer({ min: 16, max: 4_096 }),
  frames_per_second: fc.constantFrom(24, 25, 30, 50, 60),
  bits_per_second: fc.constant(null),
  pixel_format: fc.constant('yuv420p'),
  rotation: fc.constant(0),
});
const audio = fc.constant({
  codec: 'aac',
  profile: null,
  channels: 2,
  sample_rate: 48_000,
  bits_per_second: null,
  language: null,
});
const media = fc
  .record({
    container: fc.constant('mov'),
    duration_ms: fc.integer({ min: 1, max: 400_000 }),
    size_bytes: fc.constant(1),
    video: fc.option(video),
    audio: fc.option(audio),
  })
  .filter((facts) => facts.video !== null || facts.audio !== null);
const keyframes = fc.array(fc.double({ min: 0, max: 400_000, noNaN: true }), { maxLength: 300 });
const probed = fc.record({ kind: fc.constant('probe' as const), media, keyframes_ms: keyframes });

/** Everything that the pipeline plans for a file, the first task included. */
function allTasks(result: TaskResult): { tasks: readonly PlannedTask[]; skipped: readonly string[] } {
  const [probe] = pipeline.plan(request).tasks;
  if (probe === undefined) throw new Error('no first task');
  const finished: TaskOutcome = { key: probe.key, spec: probe.spec, result };
  const advance = pipeline.advance(request, finished, new Map([[probe.key, finished]]));
  return { tasks: [probe, ...advance.tasks], skipped: advance.skipped.map((skip) => skip.step) };
}

const isSpan = (task: PlannedTask): task is PlannedTask & { spec: SpecOf<'span'> } => task.spec.kind === 'span';

describe('the whole run', () => {
  it('is the same plan every time, of specs that the contract takes, with keys of their own', () => {
    fc.assert(
      fc.property(probed, (result) => {
        const { tasks } = allTasks(result);
        expect(allTasks(structuredClone(result)).tasks).toEqual(tasks);
        expect(new Set(tasks.map((task) => task.key)).size).toBe(tasks.length);
        for (const task of tasks) expect(taskSpecSchema.parse(task.spec)).toEqual(task.spec);
      }),
    );
  });

  it('encodes every stretch of every rung exactly once', () => {
    fc.assert(
      fc.property(probed, (result) => {
        const spans = allTasks(result).tasks.filter(isSpan);
        const rungs = new Set(spans.map((task) => task.spec.rung.name));
        expect(rungs.size > 0).toBe(result.media.video !== null);
        for (const rung of rungs) {
          const own = spans.filter((task) => task.spec.rung.name === rung);
          expect(own.map((task) => task.spec.span)).toEqual(own.map((_, i) => i));
          expect(own[0]?.spec.start_ms).toBe(0);
          own.forEach((task, i) => expect(task.spec.end_ms).toBe(own[i + 1]?.spec.start_ms ?? null));
        }
      }),
    );
  });

  it('publishes for the first time when one rung and the audio are there, and for the last time after everything', () => {
    fc.assert(
      fc.property(probed, (result) => {
        const { tasks } = allTasks(result);
        const [early, final] = ['publish/early', 'publish/final'].map((key) => tasks.find((task) => task.key === key));
        const spans = tasks.filter(isSpan);
        const first = spans.filter((task) => early?.after.includes(task.key));
        expect(new Set(first.map((task) => task.spec.rung.name)).size).toBe(result.media.video === null ? 0 : 1);
        expect(early?.after.includes('audio')).toBe(result.media.audio !== null);
        const needed = tasks.filter((task) => !['probe', 'poster', 'publish/final'].includes(task.key));
        expect([...(final?.after ?? [])].sort()).toEqual(needed.map((task) => task.key).sort());
        for (const other of spans.filter((task) => !first.includes(task))) {
          for (const one of first) expect(one.rank).toBeLessThan(other.rank ?? 0);
        }
      }),
    );
  });

  it('has work for every step that is not skipped, and waits only for tasks that are there', () => {
    fc.assert(
      fc.property(probed, (result) => {
        const { tasks, skipped } = allTasks(result);
        const worked = new Set(tasks.map((task) => task.step));
        for (const step of Object.keys(processingSteps)) expect(worked.has(step)).toBe(!skipped.includes(step));
        const keys = new Set(tasks.map((task) => task.key));
        for (const task of tasks) for (const key of task.after) expect(keys.has(key)).toBe(true);
        for (const task of tasks) expect(task.share).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a run of some steps', () => {
  const earlier = (result: TaskResult) => [{ key: 'probe', spec: pipeline.plan(request).tasks[0]!.spec, result }];
  const asked = fc.subarray(['subtitles', 'poster', 'publish'] as const, { minLength: 1 });

  it('touches neither audio nor ladder, and publishes over what is there', () => {
    fc.assert(
      fc.property(probed, asked, (result, steps) => {
        const plan = pipeline.plan({ ...request, steps, previous: earlier(result) });
        expect(plan.tasks.length).toBeGreaterThan(0);
        for (const { spec } of plan.tasks) {
          expect(['audio', 'subtitles', 'poster', 'publish']).toContain(spec.kind);
          if (spec.kind === 'audio') expect(spec.asset).toBeNull();
          if (spec.kind === 'publish') expect(spec).toMatchObject({ final: true, renew: true });
        }
        const keys = plan.tasks.map((task) => task.key);
        for (const task of plan.tasks) for (const key of task.after) expect(keys).toContain(key);
        if (steps.includes('subtitles')) expect(keys).toContain('publish/final');
      }),
    );
  });

  it('refuses to guess when nothing is known of the earlier run', () => {
    expect(() => pipeline.plan({ ...request, steps: ['subtitles'] })).toThrow('vid_1');
    expect(() => pipeline.plan({ ...request, steps: ['ladder'], previous: [] })).toThrow();
  });
});

it('weights sum to 100 whatever the settings and the steps', () => {
  const weight = fc.double({ min: 0, max: 100, noNaN: true });
  const weights = fc.record({
    probe: weight,
    audio: weight,
    subtitles: weight,
    poster: weight,
    ladder: weight,
    publish: weight,
  });
  const steps = fc.option(fc.subarray(['subtitles', 'poster', 'publish'] as const, { minLength: 1 }));
  fc.assert(
    fc.property(weights, steps, probed, (given, asked, result) => {
      const previous = [{ key: 'probe', spec: pipeline.plan(request).tasks[0]!.spec, result }];
      const plan = createProcessPipeline({ ...options, weights: given }).plan({ ...request, steps: asked, previous });
      expect(checkWeights(plan.steps)).toMatchObject({ ok: true });
    }),
  );
  expect(pipeline.plan(request).steps.map((step) => step.weight)).toEqual([5, 10, 20, 10, 50, 5]);
});
