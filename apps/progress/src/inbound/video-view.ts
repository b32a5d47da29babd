import type { AsyncTaskResponse, TaskProgressResponse, Video, VideoStatus } from '@millrace/api';
import { time } from '@millrace/http';
import type { ImportProgress } from '../core/import-rows.ts';
import type { JobSummary } from '../core/job-desk.ts';
import type { PlannedStep } from '../core/pipeline.ts';
import { currentTaskId, type VideoRecord } from '../core/video.ts';

/** What a view takes from the job that runs. */
export type RunningJob = Pick<JobSummary, 'progress'>;

/** A video with its playback URLs. `job` is the one that waits or runs; `coming` is what has come of an original on its way. */
export function showVideo(
  publicUrl: string,
  video: VideoRecord,
  job: RunningJob | undefined,
  coming: ImportProgress | undefined,
): Video {
  const importing = video.sourceState === 'importing';
  return {
    video_id: video.videoId,
    playback_id: video.playbackId,
    owner_id: video.ownerId,
    title: video.title,
    visibility: video.visibility,
    origin: video.origin,
    status: video.status,
    source_state: video.sourceState,
    source_progress: importing
      ? { received_bytes: coming?.receivedBytes ?? 0, total_bytes: coming?.totalBytes ?? null }
      : null,
    language: video.language ?? null,
    media: video.media ?? null,
    size_bytes: video.sizeBytes ?? null,
    current_task_id: currentTaskId(video) ?? null,
    progress: progressOf(video, job),
    error: errorOf(video),
    playback: playbackOf(publicUrl, video),
    created_at: time(video.createdAtMs),
    updated_at: time(video.updatedAtMs),
  };
}

/** URLs of what can be played of a video; null: nothing yet. */
export function playbackOf(publicUrl: string, video: VideoRecord): Video['playback'] {
  const { playable, fileKey } = video;
  if (playable === undefined) return null;
  const at = `${publicUrl}/vod/${video.playbackId}`;
  const inAsset = (path: string) => `${at}/${playable.asset.slice(playable.asset.lastIndexOf('/') + 1)}/${path}`;
  return {
    hls_url: `${at}/index.m3u8`,
    dash_url: playable.complete ? `${at}/index.mpd` : null,
    poster_url: playable.poster === undefined ? null : `${at}/poster.jpg`,
    storyboard_url: playable.storyboard === undefined ? null : inAsset(playable.storyboard),
    file_url: fileKey === undefined ? null : `${at}/video.mp4`,
    subtitles: playable.subtitles.map((track) => ({ language: track.language, url: inAsset(track.path) })),
    complete: playable.complete,
  };
}

/** Status and progress of the newest run, in every state. */
export function showStatus(video: VideoRecord, job: RunningJob | undefined): VideoStatus {
  return {
    video_id: video.videoId,
    status: video.status,
    current_task_id: currentTaskId(video) ?? null,
    progress: progressOf(video, job),
    error: errorOf(video),
    updated_at: time(video.updatedAtMs),
  };
}

/** The 202 of a run. */
export function showAccepted(job: JobSummary): AsyncTaskResponse {
  return {
    task_id: job.jobId,
    kind: job.kind,
    status: job.status,
    progress: job.progress,
    status_url: runUrl(job.subject),
    created_at: time(job.createdAtMs),
  };
}

/** Where the progress of a video's newest run is. */
export function runUrl(videoId: string): string {
  return `/api/v1/videos/${videoId}/reprocess`;
}

/** The progress of a video that was never processed: every field is there, nothing has happened. */
export function showInitial(
  video: VideoRecord,
  steps: readonly Pick<PlannedStep, 'name' | 'weight'>[],
): TaskProgressResponse {
  const { status } = video;
  const done = status === 'completed'; // a video that came finished, from a composition or an image
  return {
    ...{ task_id: null, kind: null, subject: video.videoId, owner_id: video.ownerId, status, cancelling: false },
    ...{ progress: video.progress, phase: null, eta_ms: null, eta_basis: null, attempts: [], error: errorOf(video) },
    steps: steps.map(({ name, weight }) => ({
      ...{ name, weight, status: done ? ('skipped' as const) : ('pending' as const), progress: done ? 100 : 0 },
      ...{ reason: done ? 'the video was made, not processed' : null, started_at: null, finished_at: null },
    })),
    ...{ created_at: null, started_at: null, updated_at: time(video.updatedAtMs), finished_at: null },
  };
}

function progressOf(video: VideoRecord, job: RunningJob | undefined): number {
  return currentTaskId(video) === undefined ? video.progress : (job?.progress ?? video.progress);
}

/** Of the newest run, or of the original that did not come. */
function errorOf(video: VideoRecord): Video['error'] {
  if (video.error !== undefined) return video.error;
  if (video.sourceState !== 'failed') return null;
  return { step: null, code: 'source-failed', reason: video.sourceError ?? 'the original did not come' };
}
