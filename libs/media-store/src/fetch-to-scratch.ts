import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { err, ok, type Result } from '@millrace/result';
import type { MediaStore, StoredObject, StoreFailure } from './media-store.ts';

/**
 * A local file with the object's bytes, to be read only: where it lies, if the store has files, else a copy in `folder` (which the
 * caller removes) named after the key. Rejects with the signal's reason when aborted.
 */
export async function fetchToScratch(
  store: MediaStore,
  key: string,
  folder: string,
  signal: AbortSignal,
): Promise<Result<string, StoreFailure>> {
  signal.throwIfAborted();
  const local = store.localPath(key);
  if (local !== undefined) {
    const info = await stat(local).catch(() => undefined);
    return info?.isFile() ? ok(local) : err({ kind: 'not-found', key });
  }
  const path = join(folder, key.replaceAll('/', '_').slice(-120));
  if (store.copyTo !== undefined) return store.copyTo(key, path, signal);
  const object = await store.get(key);
  return object.ok ? download(object.value, path, signal) : object;
}

/** Writes what is read of an object to a new file, or nothing. */
export async function download(
  object: StoredObject,
  path: string,
  signal: AbortSignal,
): Promise<Result<string, StoreFailure>> {
  try {
    await pipeline(Readable.from(object.bytes, { objectMode: false }), createWriteStream(path), { signal });
    return ok(path);
  } catch (error) {
    await rm(path, { force: true });
    signal.throwIfAborted();
    const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
    return err({
      kind: full ? 'full' : 'unavailable',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
