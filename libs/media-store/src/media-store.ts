/**
 * The port to where media files rest: whole objects under keys, written once and atomically, read with ranges, removed by
 * prefix. A folder or an S3 bucket, so nothing here is a file system: no append, no rename, no directories.
 */
import type { Result } from '@millrace/result';

/** Why the store did not do it. `full` and `unavailable` may pass; the others will not. */
export type StoreFailure =
  | { readonly kind: 'not-found'; readonly key: string }
  | { readonly kind: 'bad-key'; readonly message: string }
  /** The range starts past the end of the object. */
  | { readonly kind: 'bad-range'; readonly size: number }
  /** No space or quota is left; nothing was written. */
  | { readonly kind: 'full'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string };

/** Bytes `start` to `end`, both inclusive, as in an HTTP range; `end` past the object's end means its end. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** An object that is being read. `bytes` may be iterated once; leaving the loop early closes the source. */
export interface StoredObject {
  /** Size of the whole object. */
  readonly size: number;
  /** What `bytes` will give, inclusive offsets; start > end for an empty object. */
  readonly start: number;
  readonly end: number;
  /** Another one when the object was replaced; undefined where the store cannot tell. */
  readonly version?: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface StoredEntry {
  readonly key: string;
  readonly size: number;
}

export interface MediaStore {
  /**
   * Writes an object; a reader sees the old one, or none, until the whole new one is there. Slices of a list must not
   * change until the promise settles.
   */
  put(
    key: string,
    body: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
  ): Promise<Result<{ readonly size: number }, StoreFailure>>;
  /**
   * Makes an object of a whole local file, as atomically as `put`, without copying it where that can be. The file is the store's
   * from then on: whoever made it may delete it, but not write to it.
   */
  putFile(key: string, path: string): Promise<Result<{ readonly size: number }, StoreFailure>>;
  get(key: string, range?: ByteRange): Promise<Result<StoredObject, StoreFailure>>;
  /**
   * Where an object lies as a local file that programs may read, and nobody write; undefined when this store has no such files, or
   * the key is none. Says nothing about whether the object is there: `fetchToScratch` does.
   */
  localPath(key: string): string | undefined;
  /**
   * Makes `path` a local file with the object's bytes, as `fetchToScratch` promises; a store that keeps copies for those who ask again
   * has it (`withLocalCopies`).
   */
  copyTo?(key: string, path: string, signal: AbortSignal): Promise<Result<string, StoreFailure>>;
  /** Removes an object; one that is not there counts as removed. */
  delete(key: string): Promise<Result<void, StoreFailure>>;
  /** Removes everything under `prefix`, a whole number of key segments ending in `/`. Returns how many objects went. */
  deletePrefix(prefix: string): Promise<Result<{ readonly deleted: number }, StoreFailure>>;
  /** Every object under `prefix` (as in `deletePrefix`; the empty prefix is all of them), in no particular order. */
  list(prefix: string): AsyncIterable<StoredEntry>;
}
