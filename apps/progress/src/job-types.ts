/** The kinds of jobs that progress runs: each with its pipeline and what it does to its subjects. */
import type { Clock } from '@millrace/clock';
import { defaultLadder, wishedSpanMs } from '@millrace/ladder';
import type { ProgressSettings } from './config.ts';
import { createComposePipeline } from './core/compose-pipeline.ts';
import { composeRequestOf } from './core/compose-request.ts';
import { createCompositionEffects } from './core/composition-effects.ts';
import { createImageEffects } from './core/image-effects.ts';
import { imageVideoPipeline, imageVideoRequestOf } from './core/image-pipeline.ts';
import type { JobDesk } from './core/job-desk.ts';
import type { JobType } from './core/job-types.ts';
import { createProcessPipeline } from './core/process-pipeline.ts';
import { processRequestOf } from './core/process-request.ts';
import { createVideoEffects } from './core/video-effects.ts';
import type { ProgressMetrics } from './metrics.ts';
import { thumbnailType } from './thumbnails.ts';

export interface JobTypesOptions {
  readonly settings: ProgressSettings;
  readonly clock: Clock;
  readonly metrics: ProgressMetrics;
  /** The job of a thumbnail has ended. */
  readonly onThumbnail: () => void;
  /** The engine is made of these kinds, and some of them ask it something later. */
  readonly desk: () => Pick<JobDesk, 'cancel'>;
}

/** Every kind of job. */
export function jobTypesOf({ settings, clock, desk, metrics, onThumbnail }: JobTypesOptions): readonly JobType[] {
  return [
    processType(settings, clock),
    composeType(clock),
    imageVideoType(clock, desk),
    thumbnailType(clock, metrics, onThumbnail),
  ];
}

function processType(settings: ProgressSettings, clock: Clock): JobType {
  const pipeline = createProcessPipeline({
    weights: settings.PROGRESS_STEP_WEIGHTS,
    limits: {
      max_duration_ms: settings.PROGRESS_MAX_DURATION_S * 1_000,
      max_pixels: 8_192 * 4_320,
      max_frames_per_second: 240,
    },
    ladder: defaultLadder,
    segmentMs: 4_000,
    spanMs: wishedSpanMs,
  });
  return {
    pipeline: {
      kind: pipeline.kind,
      ...(pipeline.effort === undefined ? {} : { effort: pipeline.effort }),
      plan: (request) => pipeline.plan(processRequestOf(request)),
      advance: (request, finished, done) => pipeline.advance(processRequestOf(request), finished, done),
    },
    effects: createVideoEffects({ nowMs: () => clock.nowMs(), requestOf: (job) => processRequestOf(job.request) }),
  };
}

function composeType(clock: Clock): JobType {
  const pipeline = createComposePipeline();
  return {
    pipeline: {
      kind: pipeline.kind,
      plan: (request) => pipeline.plan(composeRequestOf(request)),
      advance: (request, finished, done) => pipeline.advance(composeRequestOf(request), finished, done),
    },
    effects: createCompositionEffects({
      nowMs: () => clock.nowMs(),
      requestOf: (job) => composeRequestOf(job.request),
    }),
  };
}

function imageVideoType(clock: Clock, desk: JobTypesOptions['desk']): JobType {
  return {
    pipeline: {
      kind: imageVideoPipeline.kind,
      plan: (request) => imageVideoPipeline.plan(imageVideoRequestOf(request)),
      advance: (request, finished, done) => imageVideoPipeline.advance(imageVideoRequestOf(request), finished, done),
    },
    effects: createImageEffects({
      nowMs: () => clock.nowMs(),
      requestOf: (job) => imageVideoRequestOf(job.request),
      cancelRun: (tx, jobId) => desk().cancel(tx, jobId),
    }),
  };
}
