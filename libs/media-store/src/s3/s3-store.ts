/**
 * A media store in a bucket of S3, or of a server that speaks its API. Nothing is listed to find an object, keys are what they
 * are, and what a writer has not finished is never seen: S3 shows an object when all of it is there.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '@millrace/clock';
import { Background } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import { parseMediaKey, parseMediaPrefix } from '../media-key.ts';
import type { ByteRange, MediaStore, StoredEntry, StoredObject, StoreFailure } from '../media-store.ts';
import type { StoreObserver } from '../store-observer.ts';
import { readBody } from './object-reader.ts';
import { mostParts, uploadObject } from './object-upload.ts';
import { cutParts } from './part-cutter.ts';
import type { S3Access } from './s3-access.ts';
import { S3Api } from './s3-api.ts';
import { isBadRange, isUnknownRequest, passingReason, storeFailureOf, toldBy } from './s3-failures.ts';
import { SendSlots } from './send-slots.ts';
import { sweepStaleUploads } from './stale-uploads.ts';

export interface S3StoreDeps {
  readonly access: S3Access;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: StoreObserver;
}

/** Parts of a store that are on their way at once, all of its uploads together. */
const partsOnTheirWay = 8;
const idleMs = 30_000;
const pieceBytes = 1024 * 1024;

/**
 * Opens a bucket as a media store and sweeps, now and then, what writers that died left half sent. Rejects with a text for the operator
 * when the bucket is not there or not for us; while it cannot be reached, it is opened all the same.
 */
export async function openS3Store(deps: S3StoreDeps): Promise<MediaStore & AsyncDisposable> {
  const { access, log, observer } = deps;
  const api = await S3Api.open(access, observer);
  try {
    await api.checkBucket();
  } catch (error) {
    if (passingReason(error) === undefined) {
      api[Symbol.dispose]();
      throw new Error(`MEDIA_STORE_URL: ${whyNot(error, access)}`, { cause: error });
    }
    log.warn('media-store-not-reached', { bucket: access.bucket, error });
  }
  const sweep = new Background(
    (signal) => sweepStaleUploads({ ...deps, api }, signal),
    (error) => log.warn('stale-uploads-sweep-crashed', { error }),
  );
  return new S3Store(deps, api, sweep);
}

function whyNot(error: unknown, { bucket, endpoint }: S3Access): string {
  const { name, status, message } = toldBy(error);
  const where = `bucket ${bucket} at ${endpoint ?? 'AWS'}`;
  if (status === 404) return `expected ${where}, but there is none of that name: create it first`;
  if (status === 403) return `${where} refused: check the credentials and their policy`;
  if (status === 301 || status === 307) return `${where} is in another region: set MEDIA_S3_REGION`;
  return `${where}: ${name}: ${message}`;
}

class S3Store implements MediaStore, AsyncDisposable {
  readonly #deps: S3StoreDeps;
  readonly #api: S3Api;
  readonly #sweep: Background;
  readonly #prefix: string;
  readonly #slots = new SendSlots(partsOnTheirWay);

  constructor(deps: S3StoreDeps, api: S3Api, sweep: Background) {
    this.#deps = deps;
    this.#api = api;
    this.#sweep = sweep;
    this.#prefix = deps.access.prefix;
  }

  async put(
    key: string,
    body: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
  ): Promise<Result<{ size: number }, StoreFailure>> {
    const parsed = parseMediaKey(key);
    return parsed.ok ? this.#upload(key, body, this.#deps.access.partBytes) : parsed;
  }

  async putFile(key: string, path: string): Promise<Result<{ size: number }, StoreFailure>> {
    const parsed = parseMediaKey(key);
    if (!parsed.ok) return parsed;
    const info = await stat(path).catch((error: unknown) => toldBy(error).message);
    if (typeof info === 'string') return err({ kind: 'unavailable', message: info });
    const { partBytes } = this.#deps.access;
    const pieces = createReadStream(path, { highWaterMark: Math.min(pieceBytes, partBytes) });
    return this.#upload(key, pieces, Math.max(partBytes, Math.ceil(info.size / mostParts)));
  }

  localPath(): string | undefined {
    return undefined;
  }

  async get(key: string, range?: ByteRange): Promise<Result<StoredObject, StoreFailure>> {
    const parsed = parseMediaKey(key);
    if (!parsed.ok) return parsed;
    if (range !== undefined && (range.start < 0 || range.start > (range.end ?? range.start)))
      return this.#badRange(key);
    const name = this.#prefix + key;
    try {
      const found = await this.#api.getObject(name, range && `bytes=${range.start}-${range.end ?? ''}`);
      const { size, start, end, tag } = found;
      const reopen = (from: number, to: number) => this.#api.getObject(name, `bytes=${from}-${to}`, tag);
      const bytes = readBody(found, { reopen, observer: this.#deps.observer, idleMs });
      return ok({ size, start, end, bytes, ...(tag === undefined ? {} : { version: tag }) });
    } catch (error) {
      return isBadRange(error) ? this.#badRange(key) : err(storeFailureOf(error, key));
    }
  }

  async delete(key: string): Promise<Result<void, StoreFailure>> {
    const parsed = parseMediaKey(key);
    if (!parsed.ok) return parsed;
    try {
      await this.#api.deleteObject(this.#prefix + key);
      return ok();
    } catch (error) {
      const failure = storeFailureOf(error, key);
      return failure.kind === 'not-found' ? ok() : err(failure);
    }
  }

  async deletePrefix(prefix: string): Promise<Result<{ deleted: number }, StoreFailure>> {
    const parsed = parseMediaPrefix(prefix);
    if (!parsed.ok) return parsed;
    try {
      let deleted = 0;
      for await (const names of this.#pages(prefix)) {
        if (names.length > 0) await this.#deleteAll(names.map(({ key }) => this.#prefix + key));
        deleted += names.length;
      }
      return ok({ deleted });
    } catch (error) {
      return err(storeFailureOf(error, prefix));
    }
  }

  async *list(prefix: string): AsyncIterable<StoredEntry> {
    const parsed = parseMediaPrefix(prefix);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    for await (const entries of this.#pages(prefix)) yield* entries;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api[Symbol.dispose]();
    await this.#sweep[Symbol.asyncDispose]();
  }

  async #upload(
    key: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    partBytes: number,
  ): Promise<Result<{ size: number }, StoreFailure>> {
    const deps = { api: this.#api, slots: this.#slots, observer: this.#deps.observer };
    try {
      return ok({ size: await uploadObject(deps, this.#prefix + key, cutParts(body, partBytes)) });
    } catch (error) {
      const failure = storeFailureOf(error, key);
      // Of a write nothing was looked for: an upload that is gone was taken away by others.
      if (failure.kind !== 'not-found') return err(failure);
      return err({ kind: 'unavailable', message: `writing ${key}: ${toldBy(error).message}` });
    }
  }

  /** A range that the object does not have: how large it is, if it is there. */
  async #badRange(key: string): Promise<Result<never, StoreFailure>> {
    try {
      const { size } = await this.#api.headObject(this.#prefix + key);
      return err({ kind: 'bad-range', size });
    } catch (error) {
      return err(storeFailureOf(error, key));
    }
  }

  /** Objects under a prefix of the store, a page at a time. What others put into the bucket under names that are no keys is left alone. */
  async *#pages(prefix: string): AsyncGenerator<readonly StoredEntry[], void, undefined> {
    let from: string | undefined;
    do {
      const page = await this.#api.listObjects(this.#prefix + prefix, from);
      const entries = page.entries.map(({ key, size }) => ({ key: key.slice(this.#prefix.length), size }));
      yield entries.filter(({ key }) => parseMediaKey(key).ok);
      from = page.next;
    } while (from !== undefined);
  }

  async #deleteAll(names: readonly string[]): Promise<void> {
    try {
      await this.#api.deleteObjects(names);
    } catch (error) {
      if (!isUnknownRequest(error)) throw error;
      // Some servers know no deletion of many.
      for (const name of names) await this.#api.deleteObject(name);
    }
  }
}
