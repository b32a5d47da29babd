/**
 * Writes one object: small ones in one request, larger ones in parts, of which a few are on their way at once. Either shows nothing
 * until all of it is there. What fails is taken back, so that no parts are left to be paid for.
 */
import { createHash } from 'node:crypto';
import type { StoreObserver } from '../store-observer.ts';
import type { S3Api, UploadedPart } from './s3-api.ts';
import { toldBy } from './s3-failures.ts';
import type { SendSlots } from './send-slots.ts';

export interface UploadDeps {
  readonly api: S3Api;
  readonly slots: SendSlots;
  readonly observer: StoreObserver;
}

/** S3's own limit. */
export const mostParts = 10_000;
const partsAtOnce = 4;

/** Sends `parts`, all of one size but the last, as the object `key` (of the bucket). Returns its size. Rejects with the first failure. */
export async function uploadObject(
  deps: UploadDeps,
  key: string,
  parts: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<number> {
  try {
    const first = await parts.next();
    const second = await parts.next();
    if (first.done) throw new Error('expected a part, got none');
    if (!second.done) return await uploadParts(deps, key, first.value, second.value, parts);
    await deps.slots.run(() => deps.api.putObject(key, first.value));
    return first.value.byteLength;
  } finally {
    await parts.return();
  }
}

async function uploadParts(
  deps: UploadDeps,
  key: string,
  first: Uint8Array,
  second: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<number> {
  const { api, observer } = deps;
  const uploadId = await api.createUpload(key);
  try {
    const { sent, size } = await sendAll(deps, key, uploadId, inOrder(first, second, rest));
    await complete(api, key, uploadId, sent);
    return size;
  } catch (error) {
    observer.uploadAborted('failed');
    // Should that fail too, the sweep of stale uploads or the bucket's own rule takes the parts away.
    await api.abortUpload(key, uploadId).catch(() => {});
    throw error;
  }
}

async function* inOrder(first: Uint8Array, second: Uint8Array, rest: AsyncGenerator<Uint8Array, void, undefined>) {
  yield first;
  yield second;
  yield* rest;
}

/** Sends a few at once and stops at the first failure; nothing is on its way any more when this settles. */
async function sendAll(
  { api, slots }: UploadDeps,
  key: string,
  uploadId: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<{ readonly sent: readonly UploadedPart[]; readonly size: number }> {
  const sent: UploadedPart[] = [];
  const sending = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let size = 0;
  let number = 0;
  const begin = (part: Uint8Array) => {
    const at = ++number;
    const one = slots
      .run(async () => {
        if (failures.length > 0) return;
        sent.push({ number: at, tag: await api.uploadPart(key, uploadId, at, part) });
      })
      .catch((error: unknown) => void failures.push(error))
      .finally(() => sending.delete(one));
    sending.add(one);
  };
  try {
    for await (const part of parts) {
      if (number === mostParts) throw new Error(`expected at most ${mostParts} parts: raise MEDIA_S3_PART_MIB`);
      size += part.byteLength;
      begin(part);
      if (sending.size >= partsAtOnce) await Promise.race(sending);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(sending);
  }
  if (failures.length > 0) throw failures[0];
  return { sent: sent.sort((a, b) => a.number - b.number), size };
}

/** Makes the object of its parts. When the answer to that was lost, its repetition finds no upload, but the object. */
async function complete(api: S3Api, key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
  try {
    await api.completeUpload(key, uploadId, parts);
  } catch (error) {
    if (toldBy(error).name !== 'NoSuchUpload') throw error;
    const there = await api.headObject(key).catch(() => undefined);
    if (there === undefined || there.tag !== tagOfWhole(parts)) throw error;
  }
}

/** The ETag that S3 gives to an object of parts whose ETags are MD5 sums; undefined where they are not. */
export function tagOfWhole(parts: readonly UploadedPart[]): string | undefined {
  const sums = parts.map(({ tag }) => /^"?([0-9a-f]{32})"?$/.exec(tag)?.[1]);
  if (sums.some((sum) => sum === undefined)) return undefined;
  const whole = createHash('md5')
    .update(Buffer.from(sums.join(''), 'hex'))
    .digest('hex');
  return `"${whole}-${parts.length}"`;
}
