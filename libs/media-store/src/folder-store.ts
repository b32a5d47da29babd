/**
 * A media store in a folder. An object is written to a temporary file in `.tmp` of the same file system and renamed into
 * place, so a reader never sees half of one.
 *
 * Durability: `fsync: false` (the default) is right for a live window, whose files are worthless after a crash and are
 * swept at the next start; after a power cut a renamed file may then be empty. `fsync: true` syncs file and
 * directory before `put` resolves, for recordings.
 */
import { constants, createReadStream } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '@millrace/result';
import { fitRange } from './byte-range.ts';
import { Drafts } from './drafts.ts';
import { parseMediaKey, parseMediaPrefix } from './media-key.ts';
import type { ByteRange, MediaStore, StoredEntry, StoredObject, StoreFailure } from './media-store.ts';

export interface FolderStoreOptions {
  /** Created when missing. */
  readonly folder: string;
  readonly fsync?: boolean;
}

const temporary = '.tmp';
/** Another file system, one without links, or a file that may not have more of them. */
const unlinkable: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Opens a folder as a media store and removes what dead processes left half written. Several processes may have it open. */
export async function openFolderStore(options: FolderStoreOptions): Promise<MediaStore> {
  const store = new FolderStore(options);
  await store.prepare();
  return store;
}

class FolderStore implements MediaStore {
  readonly #folder: string;
  readonly #fsync: boolean;
  readonly #known = new Set<string>();
  readonly #drafts: Drafts;

  constructor(options: FolderStoreOptions) {
    this.#folder = options.folder;
    this.#fsync = options.fsync ?? false;
    this.#drafts = new Drafts(join(options.folder, temporary));
  }

  async prepare(): Promise<void> {
    await this.#drafts.prepare();
  }

  async put(
    key: string,
    body: readonly Uint8Array[] | AsyncIterable<Uint8Array>,
  ): Promise<Result<{ size: number }, StoreFailure>> {
    return this.#replace(key, (draft) => this.#writeDraft(draft, body));
  }

  async putFile(key: string, path: string): Promise<Result<{ size: number }, StoreFailure>> {
    return this.#replace(key, (draft) => this.#adoptFile(draft, path));
  }

  localPath(key: string): string | undefined {
    const segments = parseMediaKey(key);
    return segments.ok ? join(this.#folder, ...segments.value) : undefined;
  }

  async get(key: string, range?: ByteRange): Promise<Result<StoredObject, StoreFailure>> {
    const segments = parseMediaKey(key);
    if (!segments.ok) return segments;
    let handle: FileHandle | undefined;
    try {
      handle = await open(join(this.#folder, ...segments.value), 'r');
      const info = await handle.stat();
      const fitted = info.isFile() ? fitRange(info.size, range) : err({ kind: 'not-found' as const, key });
      if (!fitted.ok || info.size === 0) {
        await handle.close();
        return fitted.ok ? ok({ size: 0, start: 0, end: -1, bytes: noBytes() }) : fitted;
      }
      const { start, end } = fitted.value;
      const bytes = createReadStream('', { fd: handle, start, end, highWaterMark: 64 * 1024 });
      return ok({ size: info.size, start, end, bytes });
    } catch (error) {
      await handle?.close().catch(() => {});
      return err(failureOf(error, key));
    }
  }

  async delete(key: string): Promise<Result<void, StoreFailure>> {
    const segments = parseMediaKey(key);
    if (!segments.ok) return segments;
    try {
      await unlink(join(this.#folder, ...segments.value));
      return ok();
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? ok() : err(failureOf(error, key));
    }
  }

  async deletePrefix(prefix: string): Promise<Result<{ deleted: number }, StoreFailure>> {
    const segments = parseMediaPrefix(prefix);
    if (!segments.ok) return segments;
    try {
      let deleted = 0;
      for await (const _ of this.list(prefix)) deleted++;
      if (segments.value.length === 0) {
        for (const name of await readdir(this.#folder)) {
          if (name !== temporary) await rm(join(this.#folder, name), { recursive: true, force: true });
        }
      } else {
        await rm(join(this.#folder, ...segments.value), { recursive: true, force: true });
      }
      this.#known.clear();
      return ok({ deleted });
    } catch (error) {
      return err(failureOf(error, prefix));
    }
  }

  async *list(prefix: string): AsyncIterable<StoredEntry> {
    const segments = parseMediaPrefix(prefix);
    if (!segments.ok) throw new Error(JSON.stringify(segments.error));
    const folders = [segments.value];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const entries = await readdir(join(this.#folder, ...at), { withFileTypes: true }).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      });
      for (const entry of entries) {
        if (entry.name === temporary) continue;
        const path = [...at, entry.name];
        if (entry.isDirectory()) folders.push(path);
        const info = entry.isFile() ? await stat(join(this.#folder, ...path)).catch(() => undefined) : undefined;
        if (info !== undefined) yield { key: path.join('/'), size: info.size };
      }
    }
  }

  /** Lets `write` fill a draft and puts it in the object's place; what `write` returns is its size. */
  async #replace(
    key: string,
    write: (draft: string) => Promise<number>,
  ): Promise<Result<{ size: number }, StoreFailure>> {
    const segments = parseMediaKey(key);
    if (!segments.ok) return segments;
    const draft = this.#drafts.next();
    try {
      const size = await write(draft);
      await this.#place(draft, join(this.#folder, ...segments.value));
      return ok({ size });
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {}); // the first error is the one to report
      return err(failureOf(error, key));
    }
  }

  /** A second name of the file where it lies in the same file system, a copy where not. */
  async #adoptFile(draft: string, path: string): Promise<number> {
    await link(path, draft).catch((error: unknown) => {
      if (!unlinkable.has(codeOf(error) ?? '')) throw error;
      return copyFile(path, draft, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    });
    const handle = await open(draft, 'r');
    try {
      if (this.#fsync) await handle.sync();
      return (await handle.stat()).size;
    } finally {
      await handle.close();
    }
  }

  async #writeDraft(draft: string, body: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<number> {
    const handle = await open(draft, 'wx', 0o600);
    try {
      let size = 0;
      if (Symbol.asyncIterator in body) {
        for await (const piece of body) size += await writeAll(handle, [piece]);
      } else {
        size = await writeAll(handle, body);
      }
      if (this.#fsync) await handle.sync();
      return size;
    } finally {
      await handle.close();
    }
  }

  /** Renames the draft into place; the folder is made on first use, and again should someone have removed it. */
  async #place(draft: string, target: string): Promise<void> {
    const parent = dirname(target);
    if (!this.#known.has(parent)) await mkdir(parent, { recursive: true, mode: 0o700 });
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.add(parent);
    await rename(draft, target).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      await mkdir(parent, { recursive: true, mode: 0o700 });
      await rename(draft, target);
    });
    if (!this.#fsync) return;
    const folder = await open(parent, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Writes every piece in full: a single writev may write less than it was given. */
async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<number> {
  let total = 0;
  for (let from = 0; from < pieces.length; from += 512) {
    const some = pieces.slice(from, from + 512);
    const size = some.reduce((sum, piece) => sum + piece.byteLength, 0);
    const { bytesWritten } = size > 0 ? await handle.writev(some) : { bytesWritten: 0 };
    if (bytesWritten < size) await handle.writeFile(Buffer.concat(some, size).subarray(bytesWritten));
    total += size;
  }
  return total;
}

async function* noBytes(): AsyncIterable<Uint8Array> {}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function failureOf(error: unknown, key: string): StoreFailure {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return { kind: 'not-found', key };
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return { kind: 'full', message };
  return { kind: 'unavailable', message };
}
