/**
 * The pipeline of kind `compose`: every input is looked at, only those that do not fit the others are encoded, side by side on any
 * number of workers, and all of them are joined by one task that copies what can be copied. Publishing is as of any other video.
 */
import type { JoinTarget, SpecOf } from '@millrace/api';
import type { ComposeInput, ComposeRequest } from './compose-request.ts';
import { type Inspected, planGains, planTarget } from './compose-target.ts';
import type { Advance, JobPlan, Pipeline, PlannedTask, TaskOutcome } from './pipeline.ts';

/** Steps in order with their weights; a step with nothing to do shares out its own. */
export const composeSteps = [
  { name: 'inspect', weight: 10, phase: 'looking at the videos' },
  { name: 'normalise', weight: 60, phase: 'bringing videos to one format' },
  { name: 'join', weight: 25, phase: 'joining' },
  { name: 'poster', weight: 3, phase: 'choosing a poster' },
  { name: 'publish', weight: 2, phase: 'publishing' },
] as const;

const nothing: Advance = { tasks: [], skipped: [] };

/** Makes the pipeline. */
export function createComposePipeline(): Pipeline<ComposeRequest> {
  return {
    kind: 'compose',
    plan: (request): JobPlan => ({ steps: composeSteps, tasks: inspectTasks(request) }),
    advance: (request, finished, done) => {
      if (finished.result?.kind === 'inspect') return afterInspection(request, done);
      if (finished.result?.kind === 'join') return { tasks: publishTasks(request, finished.result.media), skipped: [] };
      return nothing;
    },
  };
}

/** A video that is taken twice the same way is looked at, and brought to the format, once. */
function placeOf(inputs: readonly ComposeInput[], at: number): number {
  const { source, trim } = inputs[at] as ComposeInput;
  return inputs.findIndex(
    (input) =>
      input.source === source && input.trim?.start_ms === trim?.start_ms && input.trim?.end_ms === trim?.end_ms,
  );
}

function inspectTasks({ inputs, even_loudness: loudness }: ComposeRequest): readonly PlannedTask[] {
  return inputs.flatMap(({ source, trim }, i): readonly PlannedTask[] => {
    if (placeOf(inputs, i) !== i) return [];
    const spec = { kind: 'inspect', source, trim, loudness } as const;
    return [{ key: `inspect/${i}`, step: 'inspect', share: 1, spec, after: [] }];
  });
}

/** Once the last input was looked at, everything up to the join is known. */
function afterInspection(request: ComposeRequest, done: ReadonlyMap<string, TaskOutcome>): Advance {
  const inspected = request.inputs.flatMap((_, i): readonly Inspected[] => {
    const result = done.get(`inspect/${placeOf(request.inputs, i)}`)?.result;
    return result?.kind === 'inspect' ? [result] : [];
  });
  if (inspected.length < request.inputs.length) return nothing;

  const { target, odd } = planTarget(request, inspected);
  const gains = request.even_loudness ? planGains(inspected) : inspected.map(() => 0);
  const normalised = request.inputs.flatMap((input, i): readonly PlannedTask[] => {
    const isOdd = odd[i] === true && placeOf(request.inputs, i) === i;
    return isOdd ? [normaliseTask(request, input, i, inspected[i], target, gains[i] ?? 0)] : [];
  });
  const join = joinTask(request, target, odd, gains, normalised);
  const skipped = [{ step: 'normalise', reason: 'the videos fit together as they are' }];
  return { tasks: [...normalised, join], skipped: normalised.length === 0 ? skipped : [] };
}

function normaliseTask(
  request: ComposeRequest,
  { source, trim }: ComposeInput,
  at: number,
  inspected: Inspected | undefined,
  target: JoinTarget,
  gain: number,
): PlannedTask {
  return {
    key: `normalise/${at}`,
    step: 'normalise',
    share: Math.max(1, inspected?.length_ms ?? 1),
    spec: { kind: 'normalise', source, output: normalisedKey(request, at), trim, target, gain_db: gain },
    after: [`inspect/${at}`],
  };
}

function joinTask(
  request: ComposeRequest,
  target: JoinTarget,
  odd: readonly boolean[],
  gains: readonly number[],
  normalised: readonly PlannedTask[],
): PlannedTask {
  const inputs = request.inputs.map(({ source, trim }, i): SpecOf<'join'>['inputs'][number] =>
    odd[i] === true
      ? { source: normalisedKey(request, placeOf(request.inputs, i)), trim: null, gain_db: 0 }
      : { source, trim, gain_db: gains[i] ?? 0 },
  );
  const { transition, output, asset } = request;
  return {
    key: 'join',
    step: 'join',
    share: 1,
    spec: { kind: 'join', inputs, transition, target, output, asset },
    after: normalised.map((task) => task.key),
  };
}

function publishTasks(
  { output, asset }: ComposeRequest,
  media: { readonly duration_ms: number; readonly video: { readonly width: number; readonly height: number } | null },
): readonly PlannedTask[] {
  const { duration_ms, video } = media;
  if (video === null) throw new Error(`${output}: expected pictures in what was joined, got none`);
  const { width, height } = video;
  return [
    {
      ...{ key: 'poster', step: 'poster', share: 1, after: ['join'], rank: 1, optional: true },
      spec: { kind: 'poster', source: output, asset, duration_ms, width, height },
    },
    {
      ...{ key: 'publish', step: 'publish', share: 1, after: ['join'] },
      spec: { kind: 'publish', asset, duration_ms, final: true },
    },
  ];
}

/** Only for the job's own tasks; removed with its folder. */
function normalisedKey(request: ComposeRequest, at: number): string {
  return `${request.work}/normalised-${at}.mp4`;
}
