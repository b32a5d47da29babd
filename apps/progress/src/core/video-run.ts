/**
 * What a run makes of its video: pure folds, each of which gives the video after it and what nothing refers to any more. The old
 * asset stays what is played until the new one is whole; a run that fails or is cancelled leaves no trace but its status.
 */
import type { TaskResult } from '@millrace/api';
import type { JobEndStatus, JobSummary } from './job-desk.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { ProcessRequest } from './process-request.ts';
import type { Playable, VideoRecord } from './video.ts';

export type Leftover = { readonly prefix: string } | { readonly key: string };

/** A video after something happened to it. */
export interface Folded {
  readonly video: VideoRecord;
  readonly leftovers: readonly Leftover[];
}

/** Everything of an asset: its folder and the playlists beside it. */
export function assetObjects(asset: string): readonly Leftover[] {
  return [{ prefix: `${asset}/` }, { key: `${asset}.m3u8` }, { key: `${asset}.mpd` }];
}

/** A job was accepted: the video waits for it, whatever became of the one before. */
export function runSubmitted(video: VideoRecord, job: Pick<JobSummary, 'jobId'>, nowMs: number): VideoRecord {
  return { ...touched(video, nowMs), status: 'pending', taskId: job.jobId, progress: 0, error: undefined };
}

/** The first task was leased. */
export function runStarted(video: VideoRecord, job: Pick<JobSummary, 'jobId'>, nowMs: number): VideoRecord {
  if (video.taskId !== job.jobId || video.status !== 'pending') return video;
  return { ...touched(video, nowMs), status: 'processing' };
}

/** A task is done. What is already in the asset counts at once where nothing else can be played. */
export function runAdvanced(
  video: VideoRecord,
  job: Pick<JobSummary, 'jobId'>,
  request: ProcessRequest,
  finished: TaskOutcome,
  done: ReadonlyMap<string, TaskOutcome>,
  nowMs: number,
): VideoRecord {
  const { result } = finished;
  if (video.taskId !== job.jobId || result === undefined) return video;
  if (result.kind === 'probe') return { ...touched(video, nowMs), media: result.media };
  const growing = video.playable === undefined || isOfRun(video.playable, request) ? video.playable : null;
  if (growing === null || growing?.complete === true) return video;
  if (growing === undefined && result.kind !== 'publish') return video;
  // what was done before the first rung could be played shows with it
  const results = growing === undefined ? resultsOf(done) : [result];
  return { ...touched(video, nowMs), playable: playableOf(request.asset, false, results, growing) };
}

/** The job has ended. */
export function runEnded(
  video: VideoRecord,
  job: Pick<JobSummary, 'jobId' | 'progress' | 'error'> & { readonly status: JobEndStatus },
  request: ProcessRequest,
  done: ReadonlyMap<string, TaskOutcome>,
  nowMs: number,
): Folded {
  if (job.status === 'completed') return runCompleted(video, job, request, resultsOf(done), nowMs);
  const mine = video.taskId === job.jobId;
  const next = mine
    ? { ...touched(video, nowMs), status: job.status, progress: job.progress, error: job.error }
    : video;
  // an asset that was whole before this run is not the run's to remove
  if (video.playable !== undefined && isOfRun(video.playable, request) && video.playable.complete) {
    return { video: next, leftovers: [] };
  }
  const half = video.playable !== undefined && isOfRun(video.playable, request);
  const gone = half ? { ...touched(next, nowMs), playable: undefined } : next;
  return { video: gone, leftovers: assetObjects(request.asset) };
}

function runCompleted(
  video: VideoRecord,
  job: Pick<JobSummary, 'jobId'>,
  request: ProcessRequest,
  results: readonly TaskResult[],
  nowMs: number,
): Folded {
  const old = video.playable;
  const same = old !== undefined && isOfRun(old, request);
  const media = results.find((result) => result.kind === 'probe')?.media ?? video.media;
  const next: VideoRecord = {
    ...touched(video, nowMs),
    ...(video.taskId === job.jobId ? { status: 'completed' as const, progress: 100, error: undefined } : {}),
    media,
    playable: playableOf(request.asset, true, results, same ? old : undefined),
    fileKey: video.fileKey ?? (media !== undefined && isMp4(media.container) ? video.sourceKey : undefined),
  };
  return { video: next, leftovers: old === undefined || same ? [] : assetObjects(old.asset) };
}

const nothing: Pick<Playable, 'poster' | 'storyboard' | 'subtitles'> = {
  poster: undefined,
  storyboard: undefined,
  subtitles: [],
};

/** What `results` made of the asset, over what it was before (`was`). */
function playableOf(
  asset: string,
  complete: boolean,
  results: readonly TaskResult[],
  was: Playable | undefined,
): Playable {
  let { poster, storyboard, subtitles } = was ?? nothing;
  for (const result of results) {
    if (result.kind === 'poster') {
      poster = result.poster;
      storyboard = result.storyboard ?? undefined;
    }
    if (result.kind === 'subtitles') {
      const { outcome } = result;
      subtitles = outcome.kind === 'written' ? [{ language: outcome.language, path: outcome.vtt }] : [];
    }
  }
  return { asset, complete, poster, storyboard, subtitles };
}

function resultsOf(done: ReadonlyMap<string, TaskOutcome>): TaskResult[] {
  return [...done.values()].flatMap((outcome) => (outcome.result === undefined ? [] : [outcome.result]));
}

function isOfRun(playable: Playable, request: ProcessRequest): boolean {
  return playable.asset === request.asset;
}

/** ffprobe names the family: `mov,mp4,m4a,3gp,3g2,mj2`. */
function isMp4(container: string): boolean {
  return container.split(',').includes('mp4');
}

function touched(video: VideoRecord, nowMs: number): VideoRecord {
  return { ...video, updatedAtMs: Math.max(nowMs, video.updatedAtMs) };
}
