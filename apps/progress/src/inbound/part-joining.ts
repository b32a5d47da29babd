import type { MediaStore, StoreFailure } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import type { UploadPart } from '../core/upload.ts';

/** Makes one object of parts that follow each other without gaps, without copying them where there is only one. */
export async function joinParts(
  mediaStore: MediaStore,
  key: string,
  parts: readonly UploadPart[],
  signal: AbortSignal,
): Promise<Result<void, StoreFailure>> {
  const [only, second] = parts;
  const path = only !== undefined && second === undefined ? mediaStore.localPath(only.key) : undefined;
  const written =
    path === undefined
      ? await mediaStore.put(key, bytesOf(mediaStore, parts, signal))
      : await mediaStore.putFile(key, path);
  if (!written.ok) return written;
  const wanted = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (written.value.size === wanted) return ok();
  return err({ kind: 'unavailable', message: `expected ${wanted} bytes of ${key}, got ${written.value.size}` });
}

async function* bytesOf(mediaStore: MediaStore, parts: readonly UploadPart[], signal: AbortSignal) {
  for (const part of parts) {
    signal.throwIfAborted();
    const object = await mediaStore.get(part.key);
    if (!object.ok) throw new Error(`part ${part.key}: ${object.error.kind}`);
    yield* object.value.bytes;
  }
}
