/** What images do when their thumbnails are made, or are not. */
import { record } from '@millrace/eventlog';
import { imagesTopic } from '@millrace/events';
import { imageStateOf, thumbnailFailed, thumbnailMade } from './image.ts';
import type { JobEffects, JobSummary } from './job-desk.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { Transaction } from './store.ts';
import { thumbnailRequestOf, thumbnailTask } from './thumbnail-pipeline.ts';
import { againMs } from './thumbnail-submission.ts';

/** `gone`: the picture was deleted meanwhile. `impossible`: it will not be tried again. */
export type ThumbnailOutcome = 'made' | 'failed' | 'impossible' | 'gone';

export interface ThumbnailEffectsDeps {
  readonly nowMs: () => number;
  readonly count: (outcome: ThumbnailOutcome) => void;
  /** Another one may be submitted. */
  readonly onEnded: () => void;
}

/** Failures that another day does not change. */
const final: ReadonlySet<string> = new Set(['bad-media', 'file-missing', 'result-refused']);

/** Effects of kind `thumbnail`. */
export function createThumbnailEffects(deps: ThumbnailEffectsDeps): JobEffects {
  return {
    async lock(tx, imgName) {
      await tx.images.lock(imgName);
    },
    async ended(tx, job, done) {
      const outcome = await enter(tx, deps.nowMs(), job, done);
      tx.afterCommit(() => {
        deps.count(outcome);
        deps.onEnded();
      });
    },
  };
}

async function enter(
  tx: Transaction,
  nowMs: number,
  job: JobSummary,
  done: ReadonlyMap<string, TaskOutcome>,
): Promise<ThumbnailOutcome> {
  const { picture, thumbnail: key } = thumbnailRequestOf(job.request);
  const image = await tx.images.lock(job.subject);
  const result = done.get(thumbnailTask)?.result;
  const current = image?.picture?.key === picture.key;
  if (image !== undefined && current && job.status === 'completed' && result?.kind === 'thumbnail') {
    const { width, height } = result;
    const next = thumbnailMade(image, { key, width, height }, nowMs);
    await tx.images.save(next, []);
    await tx.cleanups.withdraw(key);
    await tx.publish([record(imagesTopic, imageStateOf(next))]);
    return 'made';
  }
  // the picture is gone, or an attempt that failed left something
  await tx.cleanups.add([{ key }], nowMs);
  if (image === undefined || !current) return 'gone';
  const impossible = final.has(job.error?.code ?? '');
  await tx.images.save(thumbnailFailed(image, impossible ? undefined : nowMs + againMs), []);
  return impossible ? 'impossible' : 'failed';
}
