/** Thumbnails put together: their kind of job, and the loop that submits what is due. */
import type { Clock } from '@millrace/clock';
import type { IdSource } from '@millrace/ids';
import { Background } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { DueLoop } from './core/due-loop.ts';
import type { JobDesk } from './core/job-desk.ts';
import type { JobType } from './core/job-types.ts';
import type { ProgressStore } from './core/store.ts';
import { createThumbnailEffects } from './core/thumbnail-effects.ts';
import { thumbnailPipeline, thumbnailRequestOf } from './core/thumbnail-pipeline.ts';
import { submitDueThumbnail } from './core/thumbnail-submission.ts';
import type { ProgressMetrics } from './metrics.ts';

export interface ThumbnailsOptions {
  readonly store: ProgressStore;
  readonly desk: Pick<JobDesk, 'submit' | 'forget'>;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly log: Logger;
  readonly metrics: ProgressMetrics;
  /** Most jobs that wait or run; 0: none are made. */
  readonly mostOpen: number;
}

export interface Thumbnails extends AsyncDisposable {
  /** Another one may be submitted. */
  wake(): void;
}

/** Kind `thumbnail`. */
export function thumbnailType(
  clock: Clock,
  metrics: Pick<ProgressMetrics, 'thumbnails'>,
  onEnded: () => void,
): JobType {
  return {
    pipeline: { ...thumbnailPipeline, plan: (request) => thumbnailPipeline.plan(thumbnailRequestOf(request)) },
    effects: createThumbnailEffects({
      nowMs: () => clock.nowMs(),
      count: (outcome) => metrics.thumbnails.inc({ outcome }),
      onEnded,
    }),
  };
}

/** Submits thumbnails that are due until it is closed: of pictures that have come within a second, of older ones bit by bit. */
export function openThumbnails(options: ThumbnailsOptions): Thumbnails {
  const { store, desk, clock, idSource, log, metrics, mostOpen } = options;
  const deps = { store, desk, idSource, nowMs: () => clock.nowMs(), mostOpen };
  const loop = new DueLoop({
    ...{ name: 'thumbnails', failureEvent: 'thumbnail-not-submitted', clock, log, metrics },
    work: () => submitDueThumbnail(deps),
  });
  const running =
    mostOpen === 0
      ? undefined
      : new Background(
          (signal) => loop.run(signal),
          (error) => log.error('loop-crashed', { loop: 'thumbnails', error }),
        );
  return {
    wake: () => loop.wake(),
    async [Symbol.asyncDispose]() {
      await running?.[Symbol.asyncDispose]();
    },
  };
}
