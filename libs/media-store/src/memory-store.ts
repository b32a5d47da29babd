import { createReadStream } from 'node:fs';
import { err, ok } from '@millrace/result';
import { fitRange } from './byte-range.ts';
import { parseMediaKey, parseMediaPrefix } from './media-key.ts';
import type { MediaStore, StoredEntry, StoreFailure } from './media-store.ts';

/** A media store in memory, for tests. `failWith` makes the next puts fail, as a full disk does. */
export interface MemoryStore extends MediaStore {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  failWith(failure: StoreFailure | undefined): void;
}

/** Opens an empty store in memory. */
export function openMemoryStore(): MemoryStore {
  const objects = new Map<string, Uint8Array>();
  const versions = new Map<string, number>();
  let failure: StoreFailure | undefined;
  const under = (prefix: string) => [...objects].filter(([key]) => key.startsWith(prefix));
  return {
    objects,
    failWith: (next) => {
      failure = next;
    },
    async put(key, body) {
      const segments = parseMediaKey(key);
      if (!segments.ok) return segments;
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of body) pieces.push(piece);
      } catch (error) {
        return err({ kind: 'unavailable', message: String(error) });
      }
      if (failure !== undefined) return err(failure);
      objects.set(key, Uint8Array.from(Buffer.concat(pieces)));
      versions.set(key, (versions.get(key) ?? 0) + 1);
      return ok({ size: objects.get(key)?.byteLength ?? 0 });
    },
    async putFile(key, path) {
      return this.put(key, fileBytes(path));
    },
    localPath: () => undefined,
    async get(key, range) {
      const segments = parseMediaKey(key);
      if (!segments.ok) return segments;
      const object = objects.get(key);
      if (object === undefined) return err({ kind: 'not-found', key });
      const fitted = fitRange(object.byteLength, range);
      if (!fitted.ok) return fitted;
      const { start, end } = fitted.value;
      const version = String(versions.get(key));
      return ok({ size: object.byteLength, start, end, version, bytes: one(object.subarray(start, end + 1)) });
    },
    async delete(key) {
      const segments = parseMediaKey(key);
      if (!segments.ok) return segments;
      objects.delete(key);
      return ok();
    },
    async deletePrefix(prefix) {
      const segments = parseMediaPrefix(prefix);
      if (!segments.ok) return segments;
      const gone = under(prefix);
      for (const [key] of gone) objects.delete(key);
      return ok({ deleted: gone.length });
    },
    async *list(prefix): AsyncIterable<StoredEntry> {
      const segments = parseMediaPrefix(prefix);
      if (!segments.ok) throw new Error(JSON.stringify(segments.error));
      for (const [key, object] of under(prefix)) yield { key, size: object.byteLength };
    },
  };
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/** Opened only when somebody reads. */
async function* fileBytes(path: string): AsyncIterable<Uint8Array> {
  yield* createReadStream(path);
}
