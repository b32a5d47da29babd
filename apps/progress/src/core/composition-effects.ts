/** What compositions do when their `compose` jobs move: the composition's row, and the video that comes of it, with the job. */
import { record } from '@millrace/eventlog';
import { videosTopic } from '@millrace/events';
import type { ComposeRequest } from './compose-request.ts';
import type { CompositionRecord } from './composition.ts';
import type { JobEffects, JobSummary } from './job-desk.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { Transaction } from './store.ts';
import { newVideo, stateOf, type VideoRecord } from './video.ts';

export interface CompositionEffectsDeps {
  readonly nowMs: () => number;
  /** The request of a `compose` job. Throws on another one (a bug). */
  readonly requestOf: (job: JobSummary) => ComposeRequest;
}

/** Effects of kind `compose`. */
export function createCompositionEffects({ nowMs, requestOf }: CompositionEffectsDeps): JobEffects {
  return {
    async lock(tx, compositionId) {
      await tx.compositions.lock(compositionId);
    },
    async started(tx, job) {
      const composition = await tx.compositions.lock(job.subject);
      if (composition?.status !== 'pending') return;
      await tx.compositions.save({ ...touched(composition, nowMs()), status: 'processing' });
    },
    async ended(tx, job, done) {
      const { status } = job;
      if (status === 'pending' || status === 'processing') throw new Error(`job ${job.jobId} ended as ${status}`);
      const request = requestOf(job);
      const composition = await tx.compositions.lock(job.subject);
      if (composition === undefined) throw new Error(`job ${job.jobId}: expected composition ${job.subject}, got none`);
      const ended = { ...touched(composition, nowMs()), status, progress: job.progress, error: job.error };
      if (status !== 'completed') {
        await tx.compositions.save({ ...ended, finishedAtMs: ended.updatedAtMs });
        await tx.cleanups.add([{ prefix: `videos/${request.video_id}/` }], nowMs());
        return;
      }
      const video = outputVideo(request, done, ended.updatedAtMs);
      await insertOutput(tx, video);
      await tx.compositions.save({
        ...{ ...ended, progress: 100, finishedAtMs: ended.updatedAtMs },
        output: {
          videoId: video.videoId,
          durationMs: video.media?.duration_ms ?? 0,
          sizeBytes: video.sizeBytes ?? 0,
          method: joined(done)?.method ?? 'encode',
        },
      });
    },
  };
}

async function insertOutput(tx: Transaction, video: VideoRecord): Promise<void> {
  await tx.videos.insert(video);
  await tx.publish([record(videosTopic, stateOf(video))]);
}

/** The video that came of it: complete, with its MP4 as the original and for download. */
function outputVideo(request: ComposeRequest, done: ReadonlyMap<string, TaskOutcome>, nowMs: number): VideoRecord {
  const join = joined(done);
  if (join === undefined) throw new Error(`${request.composition_id}: expected the result of its join, got none`);
  const poster = done.get('poster')?.result;
  const { poster: picture, storyboard } = poster?.kind === 'poster' ? poster : { poster: null, storyboard: null };
  const created = newVideo(
    {
      ...{ videoId: request.video_id, playbackId: request.playback_id, ownerId: request.owner_id },
      ...{ title: request.title, visibility: request.visibility, origin: 'composition' },
      ...{ sourceState: 'ready', processOnSource: false },
    },
    nowMs,
  );
  return {
    ...created,
    ...{ sourceKey: request.output, fileKey: request.output, sizeBytes: join.bytes },
    ...{ status: 'completed', progress: 100, media: join.media },
    playable: {
      ...{ asset: request.asset, complete: true, subtitles: [] },
      ...{ poster: picture ?? undefined, storyboard: storyboard ?? undefined },
    },
  };
}

function joined(done: ReadonlyMap<string, TaskOutcome>) {
  const result = done.get('join')?.result;
  return result?.kind === 'join' ? result : undefined;
}

function touched(composition: CompositionRecord, nowMs: number): CompositionRecord {
  return { ...composition, updatedAtMs: Math.max(nowMs, composition.updatedAtMs) };
}
