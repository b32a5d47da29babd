import type { UploadPart, UploadRecord } from './upload.ts';

export interface UploadRows {
  /** Waits for, and takes until the end of the transaction, the turn to add to what the owner stores. */
  takeTurn(ownerId: string): Promise<void>;
  insert(upload: UploadRecord): Promise<void>;
  get(uploadId: string): Promise<UploadRecord | undefined>;
  /** Those of these that are there. */
  known(uploadIds: readonly string[]): Promise<readonly string[]>;
  lock(uploadId: string): Promise<UploadRecord | undefined>;
  ofVideo(videoId: string): Promise<readonly UploadRecord[]>;
  /** Bytes that uploads of the owner will bring, and how many there are; finished ones do not count. */
  open(ownerId: string): Promise<{ readonly bytes: number; readonly uploads: number }>;
  parts(uploadId: string): Promise<readonly UploadPart[]>;
  /** The part that ends at `endByte`. */
  lastPart(uploadId: string): Promise<UploadPart | undefined>;
  /**
   * Adds parts that follow each other from `from`, in place of those that start there or later, if `token` holds the upload's lock
   * and nobody else moved it on; gives whether it did. Every byte there: the upload is `joining`.
   */
  addParts(
    uploadId: string,
    token: string,
    received: number,
    parts: readonly UploadPart[],
    expiresAtMs: number,
    nowMs: number,
  ): Promise<boolean>;
  /** Puts off the next try to join, and counts this one. Gives an upload whose turn it is; undefined: none. */
  takeJoin(nowMs: number, nextTryAtMs: number): Promise<UploadRecord | undefined>;
  /** The join goes on: puts off the next try again. */
  joinGoesOn(uploadId: string, nextTryAtMs: number): Promise<void>;
  /** It is done or has failed; its parts are forgotten. */
  finish(uploadId: string, state: 'done' | 'failed', expiresAtMs: number): Promise<void>;
  remove(uploadId: string): Promise<void>;
  /** At most `limit` expired uploads that nobody writes or joins. */
  expired(nowMs: number, limit: number): Promise<readonly UploadRecord[]>;
}

/** The lock of an upload, which every instance respects. It ends by itself when its holder does not renew it. */
export interface UploadLocks {
  /** Takes the lock for `token`, or says to its holder that it is wanted. */
  take(uploadId: string, token: string): Promise<boolean>;
  /** Renews what is held; gives the uploads whose lock somebody waits for, and those whose lock was lost. */
  renew(
    held: ReadonlyMap<string, string>,
  ): Promise<{ readonly wanted: readonly string[]; readonly lost: readonly string[] }>;
  release(uploadId: string, token: string): Promise<void>;
  /** Removes locks that ended long ago, of holders that died. */
  sweep(): Promise<void>;
}
