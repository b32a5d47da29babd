import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { err, ok, type Result } from '@millrace/result';
import type { MediaStore, StoreFailure } from './media-store.ts';

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
  const object = await store.get(key);
  if (!object.ok) return object;
  const path = join(folder, key.replaceAll('/', '_').slice(-120));
  try {
    await pipeline(Readable.from(object.value.bytes, { objectMode: false }), createWriteStream(path), { signal });
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
