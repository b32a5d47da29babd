/** Starting a run of a video: may it run, what is the job asked to do, and what becomes of the video's row. */
import type { ProcessingStep } from '@millrace/api';
import { type IdSource, newId } from '@millrace/ids';
import type { JobDesk, Priority, Submitted } from './job-desk.ts';
import { type ProcessRequest, stepsToRun } from './process-request.ts';
import type { Transaction } from './store.ts';
import type { VideoRecord } from './video.ts';
import { saveChanged } from './video-effects.ts';
import { runSubmitted } from './video-run.ts';

export interface RunRefusal {
  readonly kind: 'source-not-ready' | 'already-processed' | 'never-processed';
  readonly reason: string;
}

/** Why the video's state does not allow the run; undefined: it does. A run that is active is the job desk's to refuse. */
export function refuseRun(video: VideoRecord, call: 'run_sync' | 'reprocess', force: boolean): RunRefusal | undefined {
  const { videoId } = video;
  if (video.sourceState !== 'ready') {
    const why =
      video.sourceState === 'failed' ? `failed to come: ${video.sourceError ?? 'no reason'}` : 'is not here yet';
    return { kind: 'source-not-ready', reason: `the original of ${videoId} ${why} (${video.sourceState})` };
  }
  if (call === 'run_sync' && video.status === 'completed' && !force) {
    return { kind: 'already-processed', reason: `${videoId} is completed: ask for reprocess, or give force` };
  }
  if (call === 'reprocess' && video.taskId === undefined && video.status !== 'completed') {
    return { kind: 'never-processed', reason: `${videoId} was never processed: its first run is started by run_sync` };
  }
  return undefined;
}

export interface RunWish {
  readonly force: boolean;
  readonly priority: Priority;
  readonly steps: readonly ProcessingStep[] | undefined;
}

export interface SubmissionDeps {
  readonly desk: Pick<JobDesk, 'submit'>;
  readonly idSource: IdSource;
}

/** Submits a run of `video`, whose row the transaction has locked and whose original is ready. */
export async function submitRun(
  tx: Transaction,
  { desk, idSource }: SubmissionDeps,
  video: VideoRecord,
  wish: RunWish,
  nowMs: number,
): Promise<Submitted> {
  const jobId = newId('job', idSource);
  const request = await requestOf(tx, idSource, video, jobId, wish);
  const submitted = await desk.submit(tx, {
    ...{ jobId, kind: 'process' as const, subject: video.videoId, ownerId: video.ownerId },
    ...{ priority: wish.priority, force: wish.force, request },
  });
  if (submitted.kind !== 'accepted') return submitted;
  // the end of the job that was forced away may have changed the row
  const now = (wish.force ? await tx.videos.get(video.videoId) : video) ?? video;
  await saveChanged(tx, now, runSubmitted(now, submitted.job, nowMs));
  return submitted;
}

async function requestOf(
  tx: Transaction,
  idSource: IdSource,
  video: VideoRecord,
  jobId: string,
  wish: RunWish,
): Promise<ProcessRequest> {
  const { videoId, playable, sourceKey } = video;
  if (sourceKey === undefined) throw new Error(`expected the original of ${videoId} to be there before its run`);
  const previous = wish.steps === undefined ? [] : await tx.videos.outcomes(videoId);
  // without the earlier outcomes a run of some steps could not write the playlists of the whole
  const steps = stepsToRun(wish.steps, playable?.complete === true && previous.length > 0);
  const asset =
    steps === null || playable === undefined ? `videos/${videoId}/${newId('ast', idSource)}` : playable.asset;
  return {
    ...{ video_id: videoId, source: sourceKey, asset, work: `work/${jobId}`, language: video.language ?? null },
    ...{ steps, previous: steps === null ? [] : previous },
  };
}
