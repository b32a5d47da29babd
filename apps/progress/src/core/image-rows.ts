import type { ImageVideoStatus } from '@millrace/api';
import type { ImageRecord, StatusChange } from './image.ts';

export interface ImageFilter {
  /** Undefined: of everybody. */
  readonly ownerId: string | undefined;
  readonly status?: ImageVideoStatus | undefined;
  readonly sourceType?: string | undefined;
  readonly hasVideo?: boolean | undefined;
  /** Beginning of the name. */
  readonly prefix?: string | undefined;
}

/** One page of images by name: names behind `after`, at most `limit`. */
export interface ImagePageRequest {
  readonly after: string | undefined;
  readonly limit: number;
}

/** What one owner may have. */
export interface ImageRoom {
  readonly images: number;
  readonly bytes: number;
}

export interface ImageRows {
  /** False: the name is taken. */
  insert(image: ImageRecord): Promise<boolean>;
  get(imgName: string): Promise<ImageRecord | undefined>;
  lock(imgName: string): Promise<ImageRecord | undefined>;
  /** Locks the image that became due for its thumbnail last, of those that nobody else has locked; undefined: none is due. */
  lockThumbnailDue(nowMs: number): Promise<ImageRecord | undefined>;
  /** Writes everything that may change, and what changed of the status. */
  save(image: ImageRecord, changes: readonly StatusChange[]): Promise<void>;
  /** With its history. */
  remove(imgName: string): Promise<void>;
  /** One read of one table. */
  hasVideo(imgName: string): Promise<{ readonly ownerId: string; readonly hasVideo: boolean } | undefined>;
  /** Those of the names that there are, by name. */
  getMany(imgNames: readonly string[]): Promise<readonly ImageRecord[]>;
  list(filter: ImageFilter, page: ImagePageRequest): Promise<readonly ImageRecord[]>;
  /** Changes before `before`, the newest first. */
  history(imgName: string, limit: number, before: number | undefined): Promise<readonly StatusChange[]>;
  /** The name of the image that a video was made of. */
  nameOfVideo(videoId: string): Promise<string | undefined>;
  /** Counts more images or bytes of an owner; false: that would be over `most`, nothing was counted. */
  takeRoom(ownerId: string, more: ImageRoom, most: ImageRoom): Promise<boolean>;
  giveRoom(ownerId: string, less: ImageRoom): Promise<void>;
}
