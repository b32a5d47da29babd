/**
 * The pipeline of kind `compose`: every input is looked at; only those that do not fit the others are encoded, and as much of the sound
 * as cannot be copied, side by side on any number of workers; and all of it is joined by one task that copies. Publishing is as of any
 * other video.
 */
import type { JoinTarget, SpecOf } from '@millrace/api';
import type { ComposeInput, ComposeRequest } from './compose-request.ts';
import { encodedSoundMs, type Inspected, planGains, planTarget } from './compose-target.ts';
import type { Advance, JobPlan, Pipeline, PlannedTask, TaskOutcome } from './pipeline.ts';

/** Steps in order with their weights; a step with nothing to do shares out its own. */
export const composeSteps = [
  { name: 'inspect', weight: 10, phase: 'looking at the videos' },
  { name: 'normalise', weight: 60, phase: 'bringing videos to one format' },
  { name: 'join', weight: 25, phase: 'joining' },
  { name: 'poster', weight: 3, phase: 'choosing a poster' },
  { name: 'publish', weight: 2, phase: 'publishing' },
] as const;

/** How much of the sound, and of the pictures of an input, is encoded in one go: what a worker's death costs at most, some seconds of work. */
const spanMs = 60_000;
const pictureSpanMs = 20_000;
/** A task has as many spans as it takes to have no more tasks than this. */
const mostSoundTasks = 32;
/** So much longer than copying it takes to encode sound, of equal length. */
const soundShare = 2;

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
  const lengthMs = inspected.reduce((sum, input) => sum + input.length_ms, 0);
  const soundMs = encodedSoundMs(request.transition, inspected, target, odd, gains);
  const joined = joinedBy(request, target, odd, gains);
  const after = normalised.map((task) => task.key);
  const sound = soundTasks(joined, soundMs, after);
  const join = {
    ...{ key: 'join', step: 'join', share: Math.max(1, lengthMs), after: [...after, ...sound.map((task) => task.key)] },
    spec: { kind: 'join', ...joined, output: request.output, asset: request.asset },
  } as const;
  const skipped = [{ step: 'normalise', reason: 'the videos fit together as they are' }];
  return { tasks: [...normalised, ...sound, join], skipped: normalised.length === 0 ? skipped : [] };
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
    spec: {
      ...{ kind: 'normalise', source, output: normalisedKey(request, at), trim, target, gain_db: gain },
      keep: { work: request.work, span_ms: pictureSpanMs },
    },
    after: [`inspect/${at}`],
  };
}

/** What the join, and those who encode its sound ahead of it, are told. */
function joinedBy(request: ComposeRequest, target: JoinTarget, odd: readonly boolean[], gains: readonly number[]) {
  const { transition, work } = request;
  const inputs = request.inputs.map(({ source, trim }, i): SpecOf<'join'>['inputs'][number] =>
    odd[i] === true
      ? { source: normalisedKey(request, placeOf(request.inputs, i)), trim: null, gain_db: 0 }
      : { source, trim, gain_db: gains[i] ?? 0 },
  );
  return { inputs, transition, target, keep: { work, span_ms: spanMs } };
}

/** As many as there are spans, as far as that is known before the packets are: which spans there are, each of them finds out. */
function soundTasks(
  joined: ReturnType<typeof joinedBy>,
  soundMs: number,
  after: readonly string[],
): readonly PlannedTask[] {
  const parts = Math.min(mostSoundTasks, Math.ceil(soundMs / spanMs));
  return Array.from({ length: parts }, (_, part) => ({
    ...{ key: `sound/${part}`, step: 'join', share: Math.max(1, (soundShare * soundMs) / parts), after },
    spec: { kind: 'sound', ...joined, part, parts },
  }));
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
