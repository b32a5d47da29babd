import type { JobStatus } from '@millrace/api';
import type { PageRequest } from '@millrace/http';
import type { TaskOutcome } from './pipeline.ts';
import type { VideoOrigin, VideoRecord } from './video.ts';

export interface VideoFilter {
  /** Undefined: of everybody. */
  readonly ownerId: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly origin?: VideoOrigin | undefined;
  /** Part of the title, without regard to case. */
  readonly title?: string | undefined;
}

export interface VideoRows {
  insert(video: VideoRecord): Promise<void>;
  get(videoId: string): Promise<VideoRecord | undefined>;
  getMany(videoIds: readonly string[]): Promise<readonly VideoRecord[]>;
  lock(videoId: string): Promise<VideoRecord | undefined>;
  /** Writes everything that may change. */
  save(video: VideoRecord): Promise<void>;
  /** Removes the video with what its runs made; its uploads are the caller's. */
  remove(videoId: string): Promise<void>;
  list(filter: VideoFilter, page: PageRequest): Promise<readonly VideoRecord[]>;
  /** Waits for, and takes until the end of the transaction, the turn to add a video to the owner's, alone. */
  takeTurn(ownerId: string): Promise<void>;
  /**
   * Takes the same turn together with others who share it, and counts: the owner's videos, and all of its jobs that wait or run, of which
   * each may bring one more. What was committed while it waited for who had the turn alone is not in it.
   */
  shareTurnAndCount(ownerId: string): Promise<number>;
  /** The owner's videos, and those that jobs which wait or run will make. */
  countWithComing(ownerId: string): Promise<number>;
  /** Bytes of the originals of an owner. */
  sourceBytes(ownerId: string): Promise<number>;
  /** Keeps the outcomes of the run that made the asset, over those of an earlier one. */
  keepOutcomes(videoId: string, outcomes: readonly TaskOutcome[]): Promise<void>;
  outcomes(videoId: string): Promise<readonly TaskOutcome[]>;
}
