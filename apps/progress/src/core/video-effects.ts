/** What videos do when their `process` jobs move: the video's row, its published state and its leftovers, with the job. */
import { record } from '@millrace/eventlog';
import { videosTopic } from '@millrace/events';
import type { JobEffects, JobSummary } from './job-desk.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { ProcessRequest } from './process-request.ts';
import type { Transaction } from './store.ts';
import { stateOf, type VideoRecord } from './video.ts';
import { assetObjects, runAdvanced, runEnded, runStarted } from './video-run.ts';

export interface VideoEffectsDeps {
  readonly nowMs: () => number;
  /** The request of a `process` job, as the videos submitted it. Throws on another one (a bug). */
  readonly requestOf: (job: JobSummary) => ProcessRequest;
}

/** Effects of kind `process`. */
export function createVideoEffects({ nowMs, requestOf }: VideoEffectsDeps): JobEffects {
  return {
    async lock(tx, videoId) {
      await tx.videos.lock(videoId);
    },
    async started(tx, job) {
      const video = await tx.videos.lock(job.subject);
      if (video !== undefined) await saveChanged(tx, video, runStarted(video, job, nowMs()));
    },
    async advanced(tx, job, finished, done) {
      const video = await tx.videos.lock(job.subject);
      if (video === undefined) return;
      await saveChanged(tx, video, runAdvanced(video, job, requestOf(job), finished, done, nowMs()));
    },
    async ended(tx, job, done) {
      const request = requestOf(job);
      const { status } = job;
      if (status === 'pending' || status === 'processing') throw new Error(`job ${job.jobId} ended as ${status}`);
      const video = await tx.videos.lock(job.subject);
      if (video === undefined) {
        // deleted while it ran: whatever its last tasks wrote goes with it
        await tx.cleanups.add([{ prefix: `videos/${job.subject}/` }, ...assetObjects(request.asset)], nowMs());
        return;
      }
      const { video: next, leftovers } = runEnded(video, { ...job, status }, request, done, nowMs());
      await saveChanged(tx, video, next);
      await tx.cleanups.add(leftovers, nowMs());
      if (status === 'completed') await tx.videos.keepOutcomes(video.videoId, outcomesToKeep(request, done));
    },
  };
}

/** Stores and publishes a video that is to be changed; an unchanged one costs nothing. */
export async function saveChanged(tx: Transaction, before: VideoRecord, after: VideoRecord): Promise<void> {
  if (after === before) return;
  await tx.videos.save(after);
  await tx.publish([record(videosTopic, stateOf(after))]);
}

/** What the asset is made of after the run: what this run made, over what it found. */
function outcomesToKeep(request: ProcessRequest, done: ReadonlyMap<string, TaskOutcome>): readonly TaskOutcome[] {
  const kept = new Map(request.previous.map((outcome) => [outcome.key, outcome]));
  for (const outcome of done.values()) if (outcome.result !== undefined) kept.set(outcome.key, outcome);
  return [...kept.values()];
}
