/**
 * Where @tus/server keeps uploads: bytes as parts in the media store, offsets in the database, so that any instance can take up
 * what another has begun. A part counts from the moment its row is there; a crash between object and row loses that part only.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Clock } from '@millrace/clock';
import type { MediaStore, StoreFailure } from '@millrace/media-store';
import { DataStore, Upload } from '@tus/server';
import type { ProgressStore } from '../core/store.ts';
import { largestPart, partKey, smallestPart, type UploadPart, type UploadRecord } from '../core/upload.ts';
import type { UploadLimits } from '../core/upload-lifecycle.ts';
import { PartReader } from './part-reader.ts';
import { noUpload, refused } from './upload-answers.ts';
import type { UploadLocker } from './upload-locker.ts';
import type { UploadRequest } from './upload-request.ts';

export interface UploadStoreDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly locker: UploadLocker;
  readonly clock: Clock;
  readonly limits: UploadLimits;
  readonly newToken: () => string;
  /** The request that it serves. */
  readonly request: UploadRequest;
  /** Of the lock that this request holds: what it writes under another one's must not count. */
  readonly lockToken: () => string | undefined;
  readonly onBytes: (bytes: number) => void;
  /** All bytes of an upload are here. */
  readonly onReceived: () => void;
}

export class UploadStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'termination', 'expiration', 'checksum'];
  readonly #deps: UploadStoreDeps;

  constructor(deps: UploadStoreDeps) {
    super();
    this.#deps = deps;
  }

  override async create(upload: Upload): Promise<Upload> {
    await this.#deps.request.begin(upload.id, upload.size ?? 0, upload.metadata ?? {});
    return upload;
  }

  override async remove(uploadId: string): Promise<void> {
    await this.#deps.request.end(uploadId);
  }

  override async getUpload(uploadId: string): Promise<Upload> {
    const upload = await this.#deps.store.uploads.get(uploadId);
    if (upload === undefined) throw noUpload(uploadId);
    return new Upload({
      id: uploadId,
      size: upload.sizeBytes,
      offset: upload.receivedBytes,
      metadata: { ...upload.metadata },
      // tus counts the expiry from creation, here it counts from the last part
      creation_date: new Date(upload.expiresAtMs - this.getExpiration()).toISOString(),
    });
  }

  override getExpiration(): number {
    return this.#deps.limits.restMs;
  }

  override write(stream: Readable, uploadId: string, offset: number): Promise<number> {
    return this.#deps.locker.during(uploadId, this.#write(stream, uploadId, offset));
  }

  async #write(stream: Readable, uploadId: string, offset: number): Promise<number> {
    const { store } = this.#deps;
    const upload = await store.uploads.get(uploadId);
    if (upload === undefined) throw noUpload(uploadId);
    const { checksum } = this.#deps.request;
    const reader = new PartReader(stream);
    if (checksum !== undefined) return this.#writeChecked(reader, upload, offset, checksum);
    let received = offset;
    while (await reader.hasMore()) {
      const last = received > 0 ? await store.uploads.lastPart(uploadId) : undefined;
      const small = last !== undefined && last.sizeBytes < smallestPart ? last : undefined;
      const part = await this.#putPart(reader, upload, received, small);
      await this.#count(upload, received, [part]);
      if (small !== undefined) await this.#deps.mediaStore.delete(small.key);
      received = part.startByte + part.sizeBytes;
    }
    return received;
  }

  /** With a checksum (tus `checksum` extension) nothing counts until all of the body was compared. */
  async #writeChecked(
    reader: PartReader,
    upload: UploadRecord,
    offset: number,
    checksum: NonNullable<UploadRequest['checksum']>,
  ): Promise<number> {
    const hash = createHash(checksum.algorithm);
    const parts: UploadPart[] = [];
    let received = offset;
    while (await reader.hasMore()) {
      const part = await this.#putPart(reader, upload, received, undefined, (piece) => void hash.update(piece));
      parts.push(part);
      received += part.sizeBytes;
    }
    const whole = reader.error === undefined;
    if (!whole || hash.digest('base64') !== checksum.expected) {
      for (const part of parts) await this.#deps.mediaStore.delete(part.key);
      if (!whole) return offset;
      throw refused(
        460,
        'checksum-mismatch',
        `the bytes from ${offset} on do not have the ${checksum.algorithm} given`,
      );
    }
    if (parts.length > 0) await this.#count(upload, offset, parts);
    return received;
  }

  /** Writes one part from `received` on; `small` is the part before, which becomes its beginning. */
  async #putPart(
    reader: PartReader,
    upload: UploadRecord,
    received: number,
    small: UploadPart | undefined,
    seen: (piece: Uint8Array) => void = () => {},
  ): Promise<UploadPart> {
    const { mediaStore, newToken } = this.#deps;
    const startByte = small?.startByte ?? received;
    const key = partKey(upload.uploadId, startByte, newToken());
    const before = small === undefined ? undefined : await mediaStore.get(small.key);
    if (before?.ok === false) throw storeRefusal(before.error);
    const put = await mediaStore.put(
      key,
      joined(before?.value.bytes, reader.take(largestPart - (small?.sizeBytes ?? 0), seen)),
    );
    if (!put.ok) throw storeRefusal(put.error);
    return { startByte, sizeBytes: put.value.size, key };
  }

  async #count(upload: UploadRecord, received: number, parts: readonly UploadPart[]): Promise<void> {
    const { store, mediaStore, clock, limits, onBytes, onReceived } = this.#deps;
    const { uploadId, sizeBytes } = upload;
    const token = this.#deps.lockToken() ?? '';
    const nowMs = clock.nowMs();
    const counted = await store.uploads.addParts(uploadId, token, received, parts, nowMs + limits.restMs, nowMs);
    if (!counted) {
      for (const part of parts) await mediaStore.delete(part.key);
      throw refused(409, 'upload-moved-on', `upload ${uploadId} was moved on or removed meanwhile: ask for its offset`);
    }
    const end = parts.reduce((sum, part) => sum + part.sizeBytes, parts[0]?.startByte ?? received);
    onBytes(end - received);
    if (end === sizeBytes) onReceived();
  }
}

async function* joined(first: AsyncIterable<Uint8Array> | undefined, then: AsyncIterable<Uint8Array>) {
  if (first !== undefined) yield* first;
  yield* then;
}

function storeRefusal(failure: StoreFailure) {
  if (failure.kind === 'full') return refused(507, 'store-full', 'no space is left for originals: try again later');
  return refused(503, 'store-unavailable', 'the media store did not take the bytes: try again shortly');
}
