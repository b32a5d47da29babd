/**
 * An image as it is stored, and what its runs make of it: pure folds, each of which gives the image after it and the changes of its
 * video's status. Times are ms since 1970.
 */
import type { ImageVideoStatus, PictureState } from '@millrace/api';
import type { ImageVideoState } from '@millrace/events';

/** A stored picture. */
export interface Picture {
  /** Key of the media store. */
  readonly key: string;
  readonly contentType: string;
  /** As stored, before `orientation`, pixels. */
  readonly width: number;
  readonly height: number;
  /** EXIF, 1..8. */
  readonly orientation: number;
}

/** A small copy of the picture, for lists. */
export interface Thumbnail {
  /** Key of the media store. */
  readonly key: string;
  /** As shown, pixels. */
  readonly width: number;
  readonly height: number;
}

/** What became of an image's newest run that was not cancelled. */
export interface Settled {
  readonly status: 'none' | 'completed' | 'failed';
  readonly taskId: string | undefined;
  /** 0..100. */
  readonly progress: number;
  readonly error: string | undefined;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
}

export type PictureImport = { readonly kind: 'importing' } | { readonly kind: 'failed'; readonly reason: string };

export interface ImageVideo {
  readonly videoId: string;
  readonly playbackId: string;
  /** Key of the MP4. */
  readonly key: string;
}

export interface ImageRecord {
  readonly imgName: string;
  readonly ownerId: string;
  readonly sourceType: string;
  /** Undefined: there is none, or none yet. */
  readonly picture: Picture | undefined;
  /** While there is no picture: what becomes of the one that was to come from a URL; undefined: none was to. */
  readonly pictureImport: PictureImport | undefined;
  /** Undefined: it is not made yet, or there is no picture. */
  readonly thumbnail: Thumbnail | undefined;
  /** When the thumbnail is to be made, at the earliest; undefined: it is there, or cannot be made. */
  readonly thumbnailDueMs: number | undefined;
  readonly sizeBytes: number;
  readonly prompt: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly status: ImageVideoStatus;
  readonly video: ImageVideo | undefined;
  /** The active run, else the newest one that was not cancelled. */
  readonly taskId: string | undefined;
  readonly progress: number;
  readonly error: string | undefined;
  /** What the newest video was asked to be. */
  readonly videoParameters: Readonly<Record<string, unknown>> | undefined;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  /** What is true again when the active run is cancelled; undefined: none is active. */
  readonly before: Settled | undefined;
  /** Hash of what opens the picture to a provider while the run is active. */
  readonly accessSha256: string | undefined;
  /** Changes of the status so far. */
  readonly changes: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A change of an image's video status. */
export interface StatusChange {
  /** Counts the changes of the image from 1. */
  readonly change: number;
  readonly atMs: number;
  readonly from: ImageVideoStatus;
  readonly to: ImageVideoStatus;
  readonly taskId: string | undefined;
  readonly reason: string | undefined;
}

/** An image after something happened to it. */
export interface FoldedImage {
  readonly image: ImageRecord;
  readonly changes: readonly StatusChange[];
}

export type NewImage = Pick<ImageRecord, 'imgName' | 'ownerId' | 'sourceType' | 'prompt' | 'parameters'> &
  Partial<Pick<ImageRecord, 'picture' | 'sizeBytes' | 'pictureImport'>>;

/** An image that no video was asked of yet. */
export function newImage(input: NewImage, nowMs: number): ImageRecord {
  return {
    ...input,
    ...{ picture: input.picture, sizeBytes: input.sizeBytes ?? 0, pictureImport: input.pictureImport },
    ...{ thumbnail: undefined, thumbnailDueMs: input.picture === undefined ? undefined : nowMs },
    ...{ status: 'none', video: undefined, taskId: undefined, progress: 0, error: undefined },
    ...{ videoParameters: undefined, startedAtMs: undefined, finishedAtMs: undefined },
    ...{ before: undefined, accessSha256: undefined, changes: 0, createdAtMs: nowMs, updatedAtMs: nowMs },
  };
}

/** The picture is to come from a URL. */
export function pictureAsked(image: ImageRecord, nowMs: number): ImageRecord {
  return { ...image, pictureImport: { kind: 'importing' }, updatedAtMs: Math.max(nowMs, image.updatedAtMs) };
}

/** The picture is stored, however it came. */
export function pictureArrived(image: ImageRecord, picture: Picture, sizeBytes: number, nowMs: number): ImageRecord {
  const arrived = { picture, sizeBytes, pictureImport: undefined, thumbnail: undefined, thumbnailDueMs: nowMs };
  return { ...image, ...arrived, updatedAtMs: Math.max(nowMs, image.updatedAtMs) };
}

/** The thumbnail is being made; should nothing ever be heard of it, it is due again at `againMs`. */
export function thumbnailAsked(image: ImageRecord, againMs: number): ImageRecord {
  return { ...image, thumbnailDueMs: againMs };
}

export function thumbnailMade(image: ImageRecord, thumbnail: Thumbnail, nowMs: number): ImageRecord {
  return { ...image, thumbnail, thumbnailDueMs: undefined, updatedAtMs: Math.max(nowMs, image.updatedAtMs) };
}

/** It was not made; undefined: it never will be. */
export function thumbnailFailed(image: ImageRecord, againMs: number | undefined): ImageRecord {
  return { ...image, thumbnailDueMs: againMs };
}

/** The picture will not come from the URL; another may. */
export function pictureFailed(image: ImageRecord, reason: string, nowMs: number): ImageRecord {
  return { ...image, pictureImport: { kind: 'failed', reason }, updatedAtMs: Math.max(nowMs, image.updatedAtMs) };
}

export function pictureStateOf({ picture, pictureImport }: ImageRecord): PictureState {
  return picture === undefined ? (pictureImport?.kind ?? 'none') : 'ready';
}

/** Whether a run waits or goes on. */
export function runIsActive(image: Pick<ImageRecord, 'status'>): boolean {
  return image.status === 'pending' || image.status === 'processing';
}

/** A run was accepted, in place of the one that was active, if any. */
export function videoAsked(
  image: ImageRecord,
  run: {
    readonly taskId: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly accessSha256: string | undefined;
  },
  nowMs: number,
): FoldedImage {
  const replaced = runIsActive(image) ? image.taskId : undefined;
  const asked: ImageRecord = {
    ...image,
    ...{ before: image.before ?? settledOf(image), taskId: run.taskId, videoParameters: run.parameters },
    ...{ accessSha256: run.accessSha256, progress: 0, error: undefined },
    ...{ startedAtMs: undefined, finishedAtMs: undefined },
  };
  return moved(asked, 'pending', run.taskId, replaced === undefined ? undefined : `instead of ${replaced}`, nowMs);
}

/** Its first task was leased. */
export function videoStarted(image: ImageRecord, taskId: string, nowMs: number): FoldedImage {
  if (image.taskId !== taskId || image.status !== 'pending') return { image, changes: [] };
  return moved({ ...image, startedAtMs: nowMs }, 'processing', taskId, undefined, nowMs);
}

/** The video is there; an earlier one was replaced. */
export function videoMade(image: ImageRecord, taskId: string, video: ImageVideo, nowMs: number): FoldedImage {
  if (!isRunOf(image, taskId)) return { image, changes: [] };
  const done = { ...inactive(image), video, progress: 100, error: undefined, finishedAtMs: nowMs };
  return moved(done, 'completed', taskId, undefined, nowMs);
}

export function videoFailed(
  image: ImageRecord,
  taskId: string,
  failure: { readonly reason: string; readonly progress: number },
  nowMs: number,
): FoldedImage {
  if (!isRunOf(image, taskId)) return { image, changes: [] };
  const failed = { ...inactive(image), progress: failure.progress, error: failure.reason, finishedAtMs: nowMs };
  return moved(failed, 'failed', taskId, failure.reason, nowMs);
}

/** The run was cancelled: everything is as if it had not been asked for, but for the history. */
export function videoCancelled(image: ImageRecord, taskId: string, nowMs: number): FoldedImage {
  const { before } = image;
  if (!isRunOf(image, taskId) || before === undefined) return { image, changes: [] };
  const back = {
    ...inactive(image),
    ...{ taskId: before.taskId, progress: before.progress, error: before.error },
    ...{ startedAtMs: before.startedAtMs, finishedAtMs: before.finishedAtMs },
  };
  return moved(back, before.status, taskId, 'cancelled', nowMs);
}

/** Its video was deleted. A run that is active is the caller's to cancel. */
export function videoDeleted(image: ImageRecord, nowMs: number): FoldedImage {
  const bare: ImageRecord = { ...image, video: undefined, updatedAtMs: Math.max(nowMs, image.updatedAtMs) };
  const empty: Settled = {
    ...{ status: 'none', taskId: undefined, progress: 0, error: undefined },
    ...{ startedAtMs: undefined, finishedAtMs: undefined },
  };
  if (image.before?.status === 'completed') return { image: { ...bare, before: empty }, changes: [] };
  if (image.status !== 'completed') return { image: bare, changes: [] };
  const none = { ...bare, taskId: undefined, progress: 0, startedAtMs: undefined, finishedAtMs: undefined };
  return moved(none, 'none', image.taskId, 'the video was deleted', nowMs);
}

/** The whole state that other services read. */
export function imageStateOf(image: ImageRecord): ImageVideoState {
  return {
    img_name: image.imgName,
    owner_id: image.ownerId,
    source_type: image.sourceType,
    has_video: image.video !== undefined,
    video_status: image.status,
    video_id: image.video?.videoId ?? null,
    updated_at_ms: image.updatedAtMs,
  };
}

function isRunOf(image: ImageRecord, taskId: string): boolean {
  return image.taskId === taskId && runIsActive(image);
}

function inactive(image: ImageRecord): ImageRecord {
  return { ...image, before: undefined, accessSha256: undefined };
}

function settledOf(image: ImageRecord): Settled {
  const { status, taskId, progress, error, startedAtMs, finishedAtMs } = image;
  if (status === 'pending' || status === 'processing') throw new Error(`image ${image.imgName}: a run is active`);
  return { status, taskId, progress, error, startedAtMs, finishedAtMs };
}

function moved(
  image: ImageRecord,
  to: ImageVideoStatus,
  taskId: string | undefined,
  reason: string | undefined,
  nowMs: number,
): FoldedImage {
  const change = image.changes + 1;
  const updatedAtMs = Math.max(nowMs, image.updatedAtMs);
  return {
    image: { ...image, status: to, changes: change, updatedAtMs },
    changes: [{ change, atMs: updatedAtMs, from: image.status, to, taskId, reason }],
  };
}
