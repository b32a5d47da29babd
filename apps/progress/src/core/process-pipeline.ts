/**
 * The pipeline of kind `process`: an uploaded file becomes something that plays. After the probe everything that follows is known
 * and planned at once: audio once for the whole file, a poster, and for every rung of the ladder its spans, which any number of
 * workers may encode side by side. The rung that most viewers can play comes first, and is published before the others are done.
 */
import type { MediaFacts, ProcessingStep, ResultOf, SpecOf } from '@millrace/api';
import { chooseRungs, type LadderOptions, type LadderRung, planSpans } from '@millrace/ladder';
import type { Advance, JobPlan, Pipeline, PlannedStep, PlannedTask, TaskOutcome } from './pipeline.ts';
import type { ProcessRequest } from './process-request.ts';

export interface ProcessPipelineOptions {
  /** Of all steps; those of a run are scaled so that they sum to 100. */
  readonly weights: Readonly<Record<ProcessingStep, number>>;
  readonly limits: SpecOf<'probe'>['limits'];
  readonly ladder: LadderOptions;
  /** Wished length of a segment, ms. */
  readonly segmentMs: number;
  /** Wished length of a span of pictures of that size and rate, ms: what a worker may lose. */
  readonly spanMs: (width: number, height: number, framesPerSecond: number) => number;
}

const phases: Readonly<Record<ProcessingStep, string>> = {
  probe: 'reading the file',
  audio: 'encoding the audio',
  subtitles: 'writing subtitles',
  poster: 'choosing a poster',
  ladder: 'encoding the ladder',
  publish: 'publishing',
};
/** Of a film with speech in it. */
const effort: Readonly<Record<ProcessingStep, number>> = {
  ...{ probe: 2, audio: 3, subtitles: 8, poster: 4, ladder: 82, publish: 1 },
};
const allSteps = Object.keys(phases) as readonly ProcessingStep[];

/** Smaller first: what a viewer waits for before what nobody waits for. */
const ranks = { publish: 0, audio: 1, firstRung: 2, speech: 3, poster: 4, otherRungs: 5 } as const;
/** The rung published first is the largest with at most so many lines: quick to encode, good to look at. */
const firstRungLines = 480;

/** Makes the pipeline from its settings. */
export function createProcessPipeline(options: ProcessPipelineOptions): Pipeline<ProcessRequest> {
  return {
    kind: 'process',
    effort,
    plan: (request) =>
      request.steps === null ? planWhole(request, options) : planSome(request, request.steps, options),
    advance: (request, finished) => advance(request, finished, options),
  };
}

function planWhole(request: ProcessRequest, options: ProcessPipelineOptions): JobPlan {
  const spec = { kind: 'probe', source: request.source, limits: options.limits } as const;
  return {
    steps: stepsOf(allSteps, options),
    tasks: [{ key: 'probe', step: 'probe', share: 1, spec, after: [] }],
  };
}

/** New subtitles or a new poster for an asset that stays what it is otherwise. */
function planSome(request: ProcessRequest, asked: readonly ProcessingStep[], options: ProcessPipelineOptions): JobPlan {
  const media = request.previous.map((outcome) => outcome.result).find((result) => result?.kind === 'probe')?.media;
  if (media === undefined) throw new Error(`video ${request.video_id}: expected the facts of an earlier run, got none`);
  // New subtitles show by new playlists, and a run has something to do: a poster of a file without a picture is nothing.
  const publishes = asked.includes('publish') || asked.includes('subtitles') || media.video === null;
  const run = publishes ? [...asked.filter((step) => step !== 'publish'), 'publish' as const] : asked;
  const tasks = run.flatMap((step): readonly PlannedTask[] => {
    if (step === 'subtitles') return subtitleTasks(request, media, 'speech');
    if (step === 'poster') return posterTasks(request, media, []);
    if (step === 'publish') {
      const after = run.includes('subtitles') && media.audio !== null ? ['subtitles'] : [];
      return [
        { ...publishTask(request, media, true, after), spec: { ...publishSpec(request, media, true), renew: true } },
      ];
    }
    throw new Error(`video ${request.video_id}: expected steps that an asset can do without, got ${step}`);
  });
  return { steps: stepsOf(run, options), tasks };
}

function advance(request: ProcessRequest, finished: TaskOutcome, options: ProcessPipelineOptions): Advance {
  if (finished.result?.kind !== 'probe') return { tasks: [], skipped: [] };
  const { media } = finished.result;
  const rungs = media.video === null ? [] : ladderFor(media.video, options);
  const spans = rungs.flatMap((rung, i) =>
    spanTasks(request, finished.result as ResultOf<'probe'>, rung, i === 0, options),
  );
  const audio = media.audio === null ? [] : [audioTask(request, media)];
  const first = rungs[0]?.name;
  const firstKeys = spans.filter((task) => task.spec.kind === 'span' && task.spec.rung.name === first).map(keyOf);
  const subtitles = media.audio === null ? [] : subtitleTasks(request, media, 'audio');
  const early = publishTask(request, media, false, [...audio.map(keyOf), ...firstKeys]);
  const all = [...audio, ...spans, ...subtitles].map(keyOf);
  const final = publishTask(request, media, true, [...all, early.key]);
  return {
    tasks: [...audio, ...spans, ...posterTasks(request, media, ['probe']), early, ...subtitles, final],
    skipped: [
      ...(media.audio === null ? skipping(['audio', 'subtitles'], 'the file has no audio') : []),
      ...(media.video === null ? skipping(['poster', 'ladder'], 'the file has no picture') : []),
    ],
  };
}

/** The rungs in the order in which they are encoded. */
function ladderFor(video: NonNullable<MediaFacts['video']>, options: ProcessPipelineOptions): readonly LadderRung[] {
  const { width, height, frames_per_second: framesPerSecond } = video;
  const rungs = chooseRungs({ width, height, framesPerSecond }, options.ladder);
  const first = rungs.find((rung) => Math.min(rung.width, rung.height) <= firstRungLines) ?? rungs.at(-1);
  return first === undefined ? [] : [first, ...rungs.filter((rung) => rung !== first)];
}

function spanTasks(
  request: ProcessRequest,
  probed: ResultOf<'probe'>,
  rung: LadderRung,
  isFirst: boolean,
  { segmentMs, spanMs }: ProcessPipelineOptions,
): readonly PlannedTask[] {
  const { video, duration_ms } = probed.media;
  if (video === null) throw new Error(`video ${request.video_id}: expected pictures to encode, got none`);
  // the same for all rungs, so that their segments are
  const sourcePixels = video.width * video.height * video.frames_per_second;
  const wishedMs = spanMs(video.width, video.height, video.frames_per_second);
  const spans = planSpans(probed.keyframes_ms, duration_ms, wishedMs);
  return spans.map(({ span, startMs, endMs, lengthMs }) => ({
    key: `span/${rung.name}/${span}`,
    step: 'ladder',
    share: (lengthMs * (pixelsOf(rung) + decoding * sourcePixels)) / 1e9,
    spec: {
      kind: 'span',
      source: request.source,
      asset: request.asset,
      rung: {
        name: rung.name,
        width: rung.width,
        height: rung.height,
        frames_per_second: rung.framesPerSecond,
        bits_per_second: rung.bitsPerSecond,
        max_bits_per_second: rung.maxBitsPerSecond,
      },
      span,
      start_ms: startMs,
      end_ms: endMs,
      segment_ms: segmentMs,
    },
    after: ['probe'],
    rank: isFirst ? ranks.firstRung : ranks.otherRungs,
  }));
}

/** What it takes to decode a picture of the source beside encoding one of the same size: each rung decodes all of it. */
const decoding = 0.4;

function pixelsOf(rung: LadderRung): number {
  return rung.width * rung.height * rung.framesPerSecond;
}

function audioTask(request: ProcessRequest, media: MediaFacts): PlannedTask {
  const { source, asset } = request;
  return {
    key: 'audio',
    step: 'audio',
    share: 1,
    spec: { kind: 'audio', source, asset, duration_ms: media.duration_ms, speech: speechKey(request) },
    after: ['probe'],
    rank: ranks.audio,
  };
}

/** Recognition of the words in the output of `heard`: the audio task, or one that makes nothing but what is listened to. */
function subtitleTasks(request: ProcessRequest, media: MediaFacts, heard: 'audio' | 'speech'): readonly PlannedTask[] {
  const { source, asset, language } = request;
  const speech = speechKey(request);
  const { duration_ms } = media;
  const recognition: PlannedTask = {
    key: 'subtitles',
    step: 'subtitles',
    share: 9,
    spec: { kind: 'subtitles', speech, asset, duration_ms, language },
    after: [heard],
    rank: ranks.speech,
    optional: true,
  };
  if (heard === 'audio') return [recognition];
  const listening: PlannedTask = {
    key: 'speech',
    step: 'subtitles',
    share: 1,
    spec: { kind: 'audio', source, asset: null, duration_ms, speech },
    after: [],
    rank: ranks.audio,
  };
  return media.audio === null ? [] : [listening, recognition];
}

function posterTasks(request: ProcessRequest, media: MediaFacts, after: readonly string[]): readonly PlannedTask[] {
  if (media.video === null) return [];
  const { source, asset } = request;
  const { width, height } = media.video;
  const spec = { kind: 'poster', source, asset, duration_ms: media.duration_ms, width, height } as const;
  return [{ key: 'poster', step: 'poster', share: 1, spec, after, rank: ranks.poster, optional: true }];
}

function publishTask(
  request: ProcessRequest,
  media: MediaFacts,
  final: boolean,
  after: readonly string[],
): PlannedTask {
  return {
    key: final ? 'publish/final' : 'publish/early',
    step: 'publish',
    share: 1,
    spec: publishSpec(request, media, final),
    after,
    rank: ranks.publish,
  };
}

function publishSpec(request: ProcessRequest, media: MediaFacts, final: boolean): SpecOf<'publish'> {
  return { kind: 'publish', asset: request.asset, duration_ms: media.duration_ms, final };
}

/** Only for the job's own tasks; removed with its folder. */
function speechKey(request: ProcessRequest): string {
  return `${request.work}/speech.wav`;
}

/** Steps of a run; their weights in proportion, in hundredths that sum to 100. */
function stepsOf(names: readonly ProcessingStep[], options: ProcessPipelineOptions): readonly PlannedStep[] {
  const given = names.map((name) => options.weights[name]);
  const sum = given.reduce((total, weight) => total + weight, 0);
  let sharedTo = 0;
  let roundedTo = 0;
  return names.map((name, i) => {
    sharedTo += sum > 0 ? (given[i] ?? 0) / sum : 1 / names.length;
    const upTo = Math.round(sharedTo * 10_000);
    const weight = (upTo - roundedTo) / 100;
    roundedTo = upTo;
    return { name, weight, phase: phases[name] };
  });
}

function skipping(steps: readonly ProcessingStep[], reason: string): Advance['skipped'] {
  return steps.map((step) => ({ step, reason }));
}

function keyOf(task: PlannedTask): string {
  return task.key;
}
