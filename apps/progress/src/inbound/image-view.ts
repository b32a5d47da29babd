import type { AsyncTaskResponse, Image, ImageHistory, VideoStatusResponse } from '@millrace/api';
import { optionalTime, time } from '@millrace/http';
import { type ImageRecord, pictureStateOf, runIsActive, type StatusChange, type Thumbnail } from '../core/image.ts';
import type { JobSummary } from '../core/job-desk.ts';
import type { RunningJob } from './video-view.ts';

/** What became of an image's video. `job` is the one that waits or runs. */
export function showImageStatus(
  publicUrl: string,
  image: ImageRecord,
  job: RunningJob | undefined,
): VideoStatusResponse {
  const { video } = image;
  return {
    img_name: image.imgName,
    has_video: video !== undefined,
    video_status: image.status,
    video_filename: video === undefined ? null : video.key.slice(video.key.lastIndexOf('/') + 1),
    source_type: image.sourceType,
    progress: runIsActive(image) ? (job?.progress ?? image.progress) : image.progress,
    task_id: image.taskId ?? null,
    video_id: video?.videoId ?? null,
    video_url: video === undefined ? null : `${publicUrl}/vod/${video.playbackId}/index.m3u8`,
    error: image.error ?? null,
    created_at: time(image.createdAtMs),
    updated_at: time(image.updatedAtMs),
    video_started_at: optionalTime(image.startedAtMs),
    video_finished_at: optionalTime(image.finishedAtMs),
  };
}

/** An image with the status of its video. */
export function showImage(publicUrl: string, image: ImageRecord, job: RunningJob | undefined): Image {
  const { picture, pictureImport, thumbnail, parameters, videoParameters } = image;
  const turned = picture !== undefined && picture.orientation >= 5;
  return {
    ...showImageStatus(publicUrl, image, job),
    owner_id: image.ownerId,
    image_url: picture === undefined ? null : `${publicUrl}${imagePath(image.imgName)}/source`,
    thumbnail_url: thumbnail === undefined ? null : `${publicUrl}${thumbnailPath(image.imgName, thumbnail)}`,
    picture_state: pictureStateOf(image),
    picture_error: picture === undefined && pictureImport?.kind === 'failed' ? pictureImport.reason : null,
    width: (turned ? picture.height : picture?.width) ?? null,
    height: (turned ? picture.width : picture?.height) ?? null,
    size_bytes: picture === undefined ? null : image.sizeBytes,
    content_type: picture?.contentType ?? null,
    prompt: image.prompt ?? null,
    parameters: { ...parameters },
    video_parameters: videoParameters === undefined ? null : { ...videoParameters },
  };
}

/** The 202 of a run. */
export function showImageRun(job: JobSummary): AsyncTaskResponse {
  const { jobId, kind, status, progress, subject, createdAtMs } = job;
  const statusUrl = videoPath(subject);
  return { task_id: jobId, kind, status, progress, status_url: statusUrl, created_at: time(createdAtMs) };
}

export function showHistory(changes: readonly StatusChange[]): ImageHistory {
  return {
    items: changes.map((one) => ({
      change: one.change,
      at: time(one.atMs),
      from: one.from,
      to: one.to,
      task_id: one.taskId ?? null,
      reason: one.reason ?? null,
    })),
  };
}

/** Where an image is. Its name has no character that a path would have to escape. */
export function imagePath(imgName: string): string {
  return `/api/v1/images/${imgName}`;
}

/** Where its thumbnail is: a picture that comes later under the same name has another address. */
function thumbnailPath(imgName: string, thumbnail: Thumbnail): string {
  return `${imagePath(imgName)}/thumbnail?v=${versionOf(thumbnail)}`;
}

/** What tells a stored picture or thumbnail from every other one. */
export function versionOf({ key }: { readonly key: string }): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Where the status of its video is. */
export function videoPath(imgName: string): string {
  return `${imagePath(imgName)}/video`;
}
