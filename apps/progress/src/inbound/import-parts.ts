/**
 * What comes of an original, in parts that are kept as they come: whoever goes on with the import after this instance died asks for what
 * follows them. All parts are of one version of the file; when its server has another one, what was kept of the old one goes.
 */
import type { Clock } from '@millrace/clock';
import { type IdSource, newId } from '@millrace/ids';
import type { MediaStore } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { type ImportRecord, type ImportVersion, importPrefix, type KeptImport } from '../core/import-rows.ts';
import type { ProgressStore } from '../core/store.ts';
import { largestPart, smallestPart, type UploadPart } from '../core/upload.ts';
import { sourceKeyOf } from '../core/video-source.ts';
import { type Download, type DownloadFailure, notStored } from './download.ts';
import { joinParts } from './part-joining.ts';
import { PartReader } from './part-reader.ts';

export interface ImportPartsDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly clock: Clock;
  readonly idSource: IdSource;
}

/** After so long a part of some size is closed, so that little of a slow download is lost, ms. */
const longestPartMs = 5_000;
/** Parts that cannot be joined so often are fetched again. */
const mostJoins = 2;

export const emptyFile: DownloadFailure = { reason: 'expected a file from the URL, it is empty', retryable: false };
const elsewhere: DownloadFailure = { reason: 'another instance fetches it', retryable: 'elsewhere' };

export class ImportParts {
  readonly #wish: ImportRecord;
  readonly #deps: ImportPartsDeps;

  constructor(wish: ImportRecord, deps: ImportPartsDeps) {
    this.#wish = wish;
    this.#deps = deps;
  }

  /** Whether the rest of it could be asked for, and it is more than one part. */
  areWorth({ validator, total, startByte }: Pick<Download, 'validator' | 'total' | 'startByte'>): boolean {
    return validator !== undefined && (startByte > 0 || total === undefined || total > largestPart);
  }

  /** Takes what comes, behind what is `kept` if it is the rest of that, and makes the original of it. Resolves with its size, bytes. */
  async fetch(
    download: Download,
    kept: KeptImport | undefined,
    signal: AbortSignal,
  ): Promise<Result<number, DownloadFailure>> {
    const goesOn = kept !== undefined && download.startByte > 0;
    const begun = goesOn ? kept : await this.#begin(download, kept);
    if (begun === undefined) return err(elsewhere);
    const came = await download.into((body) => this.#take(body, begun, goesOn));
    if (!came.ok) return came;
    if (!came.value.ok) return came.value;
    const parts = came.value.value;
    const keptBytes = bytesIn(parts);
    if (keptBytes === 0) return err(emptyFile);
    // from now on it is known that nothing is missing
    await this.#deps.store.imports.moved(this.#wish.subject, { receivedBytes: keptBytes, totalBytes: keptBytes });
    return this.join({ ...begun, parts, keptBytes }, signal);
  }

  /** Makes the original of what is kept, which is all of it. */
  async join(kept: KeptImport, signal: AbortSignal): Promise<Result<number, DownloadFailure>> {
    const { mediaStore } = this.#deps;
    const joined = await joinParts(mediaStore, sourceKeyOf(this.#wish.subject), kept.parts, signal);
    signal.throwIfAborted();
    if (joined.ok) return ok(kept.keptBytes);
    if (joined.error.kind !== 'full' && this.#wish.tries > mostJoins) await this.#replace(kept.folder, undefined);
    return err(notStored(joined.error, 'original'));
  }

  /** Begins to keep another version; undefined: another instance does already. */
  async #begin(
    { validator, total: totalBytes }: Download,
    kept: KeptImport | undefined,
  ): Promise<KeptImport | undefined> {
    if (validator === undefined) throw new Error(`${this.#wish.subject}: expected a validator`);
    const folder = `${importPrefix(this.#wish.subject)}${newId('imp', this.#deps.idSource)}`;
    const version = { validator, totalBytes, folder };
    return (await this.#replace(kept?.folder, version)) ? { ...version, parts: [], keptBytes: 0 } : undefined;
  }

  /** Keeps `version`, or nothing, instead of what there is in folder `before`; false: somebody else was quicker. */
  async #replace(before: string | undefined, version: ImportVersion | undefined): Promise<boolean> {
    const { store, clock } = this.#deps;
    return store.transaction(async (tx) => {
      if (!(await tx.imports.keep(this.#wish.subject, before, version))) return false;
      if (before !== undefined) await tx.cleanups.add([{ prefix: `${before}/` }], clock.nowMs());
      return true;
    });
  }

  /** Keeps what comes, part by part, also when it breaks off; then rejects with why it did. */
  async #take(
    body: AsyncIterable<Uint8Array>,
    begun: KeptImport,
    goesOn: boolean,
  ): Promise<Result<readonly UploadPart[], DownloadFailure>> {
    const { store, mediaStore } = this.#deps;
    const reader = new PartReader(body);
    const parts = [...begun.parts];
    while (await reader.hasMore()) {
      const startByte = bytesIn(parts);
      // another instance that is at the same place writes another part
      const key = `${begun.folder}/${String(startByte).padStart(15, '0')}-${newId('imp', this.#deps.idSource)}`;
      const put = await mediaStore.put(key, this.#onePart(reader));
      if (!put.ok) return err(notStored(put.error, 'original'));
      const part = { startByte, sizeBytes: put.value.size, key };
      const moves = goesOn && part.sizeBytes >= smallestPart;
      if (!(await store.imports.addPart(this.#wish.subject, begun.folder, part, moves))) {
        await mediaStore.delete(key);
        return err(elsewhere);
      }
      parts.push(part);
    }
    const { error } = reader;
    if (error === undefined) return ok(parts);
    throw error instanceof Error ? error : new Error(String(error));
  }

  /** The bytes of the next part: what has come when it is large, or has taken long. */
  async *#onePart(reader: PartReader): AsyncGenerator<Uint8Array> {
    const { clock } = this.#deps;
    const endMs = clock.monotonicMs() + longestPartMs;
    let bytes = 0;
    for await (const piece of reader.take(largestPart, () => {})) {
      yield piece;
      bytes += piece.byteLength;
      if (bytes >= smallestPart && clock.monotonicMs() >= endMs) return;
    }
  }
}

function bytesIn(parts: readonly UploadPart[]): number {
  return parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}
