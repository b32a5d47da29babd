/** What images do when their jobs move: the image's row with its history, its published state, and the video that was made. */
import type { ResultOf } from '@millrace/api';
import { record } from '@millrace/eventlog';
import { imagesTopic, videosTopic } from '@millrace/events';
import {
  type FoldedImage,
  type ImageRecord,
  imageStateOf,
  videoCancelled,
  videoFailed,
  videoMade,
  videoStarted,
} from './image.ts';
import { type ImageVideoRequest, renderTask } from './image-pipeline.ts';
import type { JobEffects, JobSummary } from './job-desk.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { Transaction } from './store.ts';
import { currentTaskId, newVideo, stateOf, type VideoRecord } from './video.ts';
import { saveChanged } from './video-effects.ts';
import { assetObjects } from './video-run.ts';

export interface ImageEffectsDeps {
  readonly nowMs: () => number;
  /** The request of an `image-video` job. Throws on another one (a bug). */
  readonly requestOf: (job: JobSummary) => ImageVideoRequest;
  /** Cancels a run of a video whose original is replaced. */
  readonly cancelRun: (tx: Transaction, jobId: string) => Promise<unknown>;
}

type Made = ResultOf<'animate'> | ResultOf<'generate'>;

/** Effects of kind `image-video`. */
export function createImageEffects(deps: ImageEffectsDeps): JobEffects {
  const { nowMs, requestOf } = deps;
  return {
    async lock(tx, imgName) {
      await tx.images.lock(imgName);
    },
    async started(tx, job) {
      const image = await tx.images.lock(job.subject);
      if (image !== undefined) await saveImage(tx, image, videoStarted(image, job.jobId, nowMs()));
    },
    async ended(tx, job, done) {
      const request = requestOf(job);
      const image = await tx.images.lock(job.subject);
      const made = madeBy(done);
      if (image?.taskId === job.jobId && job.status === 'completed' && made !== undefined) {
        const video = await keepVideo(tx, deps, image, request, made);
        if (video !== undefined) {
          const { videoId, playbackId } = video;
          const kept = { videoId, playbackId, key: request.file };
          return saveImage(tx, image, videoMade(image, job.jobId, kept, nowMs()));
        }
      }
      await tx.cleanups.add(assetObjects(request.asset), nowMs());
      if (image !== undefined) await saveImage(tx, image, foldEnd(image, job, nowMs()));
    },
  };
}

/** Stores and publishes an image that is to be changed; an unchanged one costs nothing. */
export async function saveImage(tx: Transaction, before: ImageRecord, { image, changes }: FoldedImage): Promise<void> {
  if (image === before) return;
  await tx.images.save(image, changes);
  await tx.publish([record(imagesTopic, imageStateOf(image))]);
}

function foldEnd(image: ImageRecord, job: JobSummary, nowMs: number): FoldedImage {
  if (job.status === 'cancelled') return videoCancelled(image, job.jobId, nowMs);
  const reason = job.error?.reason ?? 'the video that was to be replaced is not there any more';
  return videoFailed(image, job.jobId, { reason, progress: job.progress }, nowMs);
}

function madeBy(done: ReadonlyMap<string, TaskOutcome>): Made | undefined {
  const result = done.get(renderTask)?.result;
  return result?.kind === 'animate' || result?.kind === 'generate' ? result : undefined;
}

/** Enters the video, or gives the one that is there its new asset; undefined: it was there, and is gone. */
async function keepVideo(
  tx: Transaction,
  { nowMs, cancelRun }: ImageEffectsDeps,
  image: ImageRecord,
  request: ImageVideoRequest,
  made: Made,
): Promise<VideoRecord | undefined> {
  const { video: wish } = request;
  if (!wish.replaces) {
    const { video_id: videoId, playback_id: playbackId, title, visibility } = wish;
    const { ownerId } = image;
    const input = { videoId, playbackId, ownerId, title, visibility, origin: 'image' as const };
    const video = withAsset(
      newVideo({ ...input, sourceState: 'ready', processOnSource: false }, nowMs()),
      request,
      made,
    );
    await tx.videos.insert(video);
    await tx.publish([record(videosTopic, stateOf(video))]);
    return video;
  }
  const known = await tx.videos.lock(wish.video_id);
  if (known === undefined) return undefined;
  const running = currentTaskId(known);
  // it works on what is replaced now
  if (running !== undefined) await cancelRun(tx, running);
  const old = running === undefined ? known : ((await tx.videos.get(wish.video_id)) ?? known);
  const video = withAsset({ ...old, updatedAtMs: Math.max(nowMs(), old.updatedAtMs) }, request, made);
  await saveChanged(tx, old, video);
  const { playable, sourceKey } = old;
  const inAsset = playable !== undefined && sourceKey?.startsWith(`${playable.asset}/`) === true;
  await tx.cleanups.add(
    [
      ...(playable === undefined ? [] : assetObjects(playable.asset)),
      ...(sourceKey === undefined || inAsset ? [] : [{ key: sourceKey }]),
    ],
    nowMs(),
  );
  return video;
}

function withAsset(video: VideoRecord, { asset, file }: ImageVideoRequest, { media, poster }: Made): VideoRecord {
  return {
    ...video,
    ...{ sourceState: 'ready', sourceKey: file, fileKey: file, sizeBytes: media.size_bytes, media },
    ...{ status: 'completed', taskId: undefined, progress: 100, error: undefined },
    playable: { asset, complete: true, poster: poster ?? undefined, storyboard: undefined, subtitles: [] },
  };
}
