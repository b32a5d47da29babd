/** A video as it is stored, and what other services read of it. Times are ms since 1970. */
import type { JobError, JobStatus, MediaFacts, Video } from '@millrace/api';
import type { VideoState, Visibility } from '@millrace/events';

export type VideoOrigin = Video['origin'];
export type SourceState = Video['source_state'];

/** Subtitles of an asset; `path` is relative to its folder. */
export interface SubtitleTrack {
  readonly language: string;
  readonly path: string;
}

/** What of a video can be played. */
export interface Playable {
  /** Folder of the media store, `videos/{video_id}/{asset id}`. */
  readonly asset: string;
  /** Whether the asset is whole; until then its playlists are replaced as it grows. */
  readonly complete: boolean;
  /** Relative to the asset's folder, as are the next two. */
  readonly poster: string | undefined;
  readonly storyboard: string | undefined;
  readonly subtitles: readonly SubtitleTrack[];
}

export interface VideoRecord {
  readonly videoId: string;
  readonly playbackId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly origin: VideoOrigin;
  /** Spoken language, BCP 47. */
  readonly language: string | undefined;
  readonly sourceState: SourceState;
  /** Key of the original once it is ready. */
  readonly sourceKey: string | undefined;
  readonly sizeBytes: number | undefined;
  /** Why the original did not come; while `sourceState` is `failed`. */
  readonly sourceError: string | undefined;
  /** Start processing once the original is here. */
  readonly processOnSource: boolean;
  /** Of the newest run; `pending` before the first. */
  readonly status: JobStatus;
  /** The newest job; undefined: never processed. */
  readonly taskId: string | undefined;
  /** Of the newest run as far as it is stored here: where it ended. 0..100. */
  readonly progress: number;
  readonly error: JobError | undefined;
  readonly media: MediaFacts | undefined;
  readonly playable: Playable | undefined;
  /** Key of an MP4 to download. */
  readonly fileKey: string | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface NewVideo {
  readonly videoId: string;
  readonly playbackId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly origin: VideoOrigin;
  readonly language?: string | undefined;
  readonly sourceState: SourceState;
  readonly processOnSource: boolean;
}

/** A video without an original yet. */
export function newVideo(input: NewVideo, nowMs: number): VideoRecord {
  return {
    ...input,
    language: input.language,
    sourceKey: undefined,
    sizeBytes: undefined,
    sourceError: undefined,
    status: 'pending',
    taskId: undefined,
    progress: 0,
    error: undefined,
    media: undefined,
    playable: undefined,
    fileKey: undefined,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** The id of the job that waits or runs for the video. */
export function currentTaskId(video: Pick<VideoRecord, 'status' | 'taskId'>): string | undefined {
  return video.status === 'pending' || video.status === 'processing' ? video.taskId : undefined;
}

/** What a PATCH may change; absent means unchanged, null: not known. */
export interface VideoChange {
  readonly title?: string | undefined;
  readonly visibility?: Visibility | undefined;
  readonly language?: string | null | undefined;
}

/** The video after `change`. */
export function changeVideo(video: VideoRecord, change: VideoChange, nowMs: number): VideoRecord {
  return {
    ...video,
    title: change.title ?? video.title,
    visibility: change.visibility ?? video.visibility,
    language: change.language === undefined ? video.language : (change.language ?? undefined),
    updatedAtMs: Math.max(nowMs, video.updatedAtMs),
  };
}

/** The whole state that other services read. */
export function stateOf(video: VideoRecord): VideoState {
  return {
    video_id: video.videoId,
    owner_id: video.ownerId,
    playback_id: video.playbackId,
    title: video.title,
    visibility: video.visibility,
    status: video.status,
    asset: video.playable?.asset ?? null,
    complete: video.playable?.complete ?? false,
    duration_ms: video.media?.duration_ms ?? null,
    file: video.fileKey ?? null,
    updated_at_ms: video.updatedAtMs,
  };
}
