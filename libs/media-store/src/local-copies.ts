/**
 * Local copies of objects for tasks that follow one another: a film has as many tasks as it has spans, and without this each would
 * fetch all of it from the bucket. A task gets a link of its own to the copy, so that a copy that is given up goes when its last
 * task does. What a copy is of is asked of the store each time: an object that was replaced is another.
 */
import { createHash } from 'node:crypto';
import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@millrace/clock';
import { err, ok, type Result } from '@millrace/result';
import { download } from './fetch-to-scratch.ts';
import type { MediaStore, StoredObject, StoreFailure } from './media-store.ts';

export interface LocalCopiesOptions {
  readonly store: MediaStore;
  /** Of the same file system as the folders that copies are asked for in; empty, and nobody else's. */
  readonly folder: string;
  /** Bytes of all copies together; the one that was used last stays even if it alone is larger. */
  readonly mostBytes: number;
  /** A copy that nobody asked for so long is given up, ms. */
  readonly idleMs: number;
  readonly clock: Clock;
}

interface Copy {
  readonly path: string;
  readonly size: number;
  usedMs: number;
}

/** A download that some wait for; it ends with the last of them. */
interface Fetch {
  readonly done: Promise<Result<string, StoreFailure>>;
  readonly abort: AbortController;
  waiting: number;
}

const lookMs = 60_000;

/** The same store, whose `copyTo` keeps copies until this is closed; where objects are files there is nothing to copy. */
export function withLocalCopies(options: LocalCopiesOptions): { readonly store: MediaStore } & AsyncDisposable {
  const { store } = options;
  const copies = new LocalCopies(options);
  return {
    store: {
      put: (key, body) => store.put(key, body),
      putFile: (key, path) => store.putFile(key, path),
      get: (key, range) => store.get(key, range),
      localPath: (key) => store.localPath(key),
      delete: (key) => store.delete(key),
      deletePrefix: (prefix) => store.deletePrefix(prefix),
      list: (prefix) => store.list(prefix),
      copyTo: (key, path, signal) => copies.copyTo(key, path, signal),
    },
    [Symbol.asyncDispose]: () => copies[Symbol.asyncDispose](),
  };
}

class LocalCopies implements AsyncDisposable {
  readonly #options: LocalCopiesOptions;
  /** By key and version, the one that was used last at the end. */
  readonly #copies = new Map<string, Copy>();
  readonly #fetches = new Map<string, Fetch>();
  readonly #timer: { cancel(): void };

  constructor(options: LocalCopiesOptions) {
    this.#options = options;
    this.#timer = options.clock.every(lookMs, () => this.#giveUp());
  }

  async copyTo(key: string, path: string, signal: AbortSignal): Promise<Result<string, StoreFailure>> {
    const object = await this.#options.store.get(key);
    if (!object.ok) return object;
    const { version } = object.value;
    if (version === undefined) return download(object.value, path, signal);
    const name = createHash('sha256').update(`${key} ${version}`).digest('hex').slice(0, 32);
    const known = this.#copies.get(name);
    if (known !== undefined) {
      await closeUnread(object.value);
      if (await this.#link(name, known, path)) return ok(path);
      return download(await this.#again(key), path, signal); // given up at this moment
    }
    const running = this.#fetches.get(name);
    // Waited for from here on, so that it does not end with the others who do.
    const waited = this.#waitFor(running ?? this.#begin(name, object.value), signal);
    const [fetched] = await Promise.all([waited, running && closeUnread(object.value)]);
    if (!fetched.ok) return fetched;
    const copy = this.#copies.get(name);
    if (copy !== undefined && (await this.#link(name, copy, path))) return ok(path);
    return download(await this.#again(key), path, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    const fetches = [...this.#fetches.values()];
    for (const { abort } of fetches) abort.abort(new Error('the store of copies is closed'));
    await Promise.all(fetches.map(({ done }) => done));
    this.#copies.clear();
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  #begin(name: string, object: StoredObject): Fetch {
    const abort = new AbortController();
    const path = join(this.#options.folder, name);
    const run = async () => {
      try {
        await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
        const fetched = await download(object, path, abort.signal);
        if (fetched.ok) this.#copies.set(name, { path, size: object.size, usedMs: this.#options.clock.monotonicMs() });
        this.#giveUp();
        return fetched;
      } catch (error) {
        // Given up by all who waited, so nobody is told.
        return err({ kind: 'unavailable' as const, message: String(error) });
      } finally {
        this.#fetches.delete(name);
      }
    };
    const fetch = { done: run(), abort, waiting: 0 };
    this.#fetches.set(name, fetch);
    return fetch;
  }

  async #waitFor(fetch: Fetch, signal: AbortSignal): Promise<Result<string, StoreFailure>> {
    fetch.waiting++;
    let stop = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      signal.throwIfAborted();
      return await Promise.race([fetch.done, stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
      if (--fetch.waiting === 0) fetch.abort.abort(new Error('nobody waits for it'));
    }
  }

  /** False: the copy is gone. */
  async #link(name: string, copy: Copy, path: string): Promise<boolean> {
    try {
      await link(copy.path, path);
    } catch {
      return false;
    }
    copy.usedMs = this.#options.clock.monotonicMs();
    if (this.#copies.delete(name)) this.#copies.set(name, copy);
    return true;
  }

  async #again(key: string): Promise<StoredObject> {
    const object = await this.#options.store.get(key);
    if (!object.ok) throw new Error(`${key}: ${object.error.kind}`);
    return object.value;
  }

  /** Gives up copies that nobody uses, and the oldest ones while there are too many bytes. */
  #giveUp(): void {
    const { mostBytes, idleMs, clock } = this.#options;
    let left = [...this.#copies.values()].reduce((sum, { size }) => sum + size, 0);
    const [last] = [...this.#copies.keys()].slice(-1);
    for (const [name, { path, size, usedMs }] of this.#copies) {
      const idle = clock.monotonicMs() - usedMs > idleMs;
      if (!idle && (left <= mostBytes || name === last)) continue;
      this.#copies.delete(name);
      left -= size;
      void rm(path, { force: true }).catch(() => {}); // at worst the next start of the worker removes it
    }
  }
}

async function closeUnread(object: StoredObject): Promise<void> {
  for await (const _ of object.bytes) break;
}
