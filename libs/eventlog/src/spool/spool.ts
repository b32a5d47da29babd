/**
 * A bounded queue of payloads on disk. `append` resolves after fdatasync, and appends that wait for one sync share the
 * next (group commit). The reader takes payloads in order and says when they are done; what is not done is read again
 * after a crash. Files rotate at a size, and a file that is all done is deleted.
 */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFrame, maxPayloadBytes, scanFrames } from './frame.ts';

export interface SpoolOptions {
  readonly dir: string;
  /** Most bytes on disk; an append beyond it is refused. */
  readonly maxBytes: number;
  /** A file is closed and the next one started at this size. */
  readonly fileBytes: number;
}

/** The spool holds as much as it may: the log has been away for too long. */
export class SpoolFullError extends Error {
  override readonly name = 'SpoolFullError';
}

/** Payloads to relay, and where the reader stands after them. */
export interface SpoolBatch {
  readonly payloads: readonly Uint8Array[];
  readonly next: SpoolPosition;
}

interface SpoolPosition {
  readonly file: number;
  readonly offset: number;
}

interface Waiting {
  readonly frame: Buffer;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Longest read at once; longer than the longest frame, so a read always makes progress. */
const readBytes = maxPayloadBytes + 64 * 1024;

export class Spool implements AsyncDisposable {
  readonly #options: SpoolOptions;
  /** Bytes of each file by its number, oldest first. */
  readonly #files: Map<number, number>;
  #current: { readonly file: number; readonly handle: FileHandle };
  #position: SpoolPosition;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #closed = false;
  /** Bytes of a write that a crash had cut short, dropped at opening. */
  readonly tornBytes: number;

  private constructor(
    options: SpoolOptions,
    files: Map<number, number>,
    current: { readonly file: number; readonly handle: FileHandle },
    position: SpoolPosition,
    tornBytes: number,
  ) {
    this.#options = options;
    this.#files = files;
    this.#current = current;
    this.#position = position;
    this.tornBytes = tornBytes;
  }

  /** Opens the spool in `dir`, made with mode 0700 when missing. A damaged end of a file is cut off. */
  static async open(options: SpoolOptions): Promise<Spool> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    const files = new Map<number, number>();
    let torn = 0;
    for (const file of await fileNumbers(options.dir)) {
      const bytes = await readFile(pathOf(options.dir, file));
      const { soundBytes } = scanFrames(bytes);
      if (soundBytes < bytes.length) await truncate(pathOf(options.dir, file), soundBytes);
      torn += bytes.length - soundBytes;
      files.set(file, soundBytes);
    }
    const position = await readPosition(options.dir, files);
    const file = Math.max(0, ...files.keys()) + 1;
    const handle = await open(pathOf(options.dir, file), 'a', 0o600);
    files.set(file, 0);
    await syncFolder(options.dir);
    return new Spool(options, files, { file, handle }, position ?? { file, offset: 0 }, torn);
  }

  /** Bytes on disk and on their way there that were not read to their end yet. */
  get bytes(): number {
    let bytes = this.#waitingBytes;
    for (const size of this.#files.values()) bytes += size;
    return bytes;
  }

  /** True when every synced payload is done. */
  get isEmpty(): boolean {
    const { file, offset } = this.#position;
    return file === this.#current.file && offset === (this.#files.get(file) ?? 0) && this.#waiting.length === 0;
  }

  /** Resolves once `payload` is on disk; rejects with SpoolFullError, or the error of the disk. */
  append(payload: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the spool is closed'));
    const frame = encodeFrame(payload);
    if (this.bytes + frame.length > this.#options.maxBytes) {
      const message = `the spool holds ${this.bytes} bytes of at most ${this.#options.maxBytes}: the event log has been away too long`;
      return Promise.reject(new SpoolFullError(message));
    }
    this.#waitingBytes += frame.length;
    return new Promise((done, failed) => {
      this.#waiting.push({ frame, done, failed });
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** The next payloads in order, at most `maxPayloads`; none when all are done. The same again until `done`. */
  async read(maxPayloads: number): Promise<SpoolBatch> {
    for (;;) {
      const { file, offset } = this.#position;
      const size = this.#files.get(file) ?? 0;
      if (offset >= size) {
        const following = [...this.#files.keys()].find((number) => number > file);
        if (following === undefined) return { payloads: [], next: this.#position };
        await this.#moveTo({ file: following, offset: 0 });
        continue;
      }
      const bytes = await readRange(pathOf(this.#options.dir, file), offset, Math.min(size - offset, readBytes));
      const { payloads, soundBytes } = scanFrames(bytes, maxPayloads);
      if (payloads.length > 0) return { payloads, next: { file, offset: offset + soundBytes } };
      throw new Error(`spool file ${pathOf(this.#options.dir, file)} is damaged at byte ${offset}`);
    }
  }

  /** The payloads up to `batch.next` need not be read again. */
  async done(batch: SpoolBatch): Promise<void> {
    await this.#moveTo(batch.next);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#current.handle.close();
  }

  async #moveTo(position: SpoolPosition): Promise<void> {
    this.#position = position;
    // Losing this file only means that some payloads are read again, so it is not synced.
    const draft = join(this.#options.dir, 'position.tmp');
    await writeFile(draft, JSON.stringify(position), { mode: 0o600 });
    await rename(draft, join(this.#options.dir, 'position.json'));
    for (const file of [...this.#files.keys()]) {
      if (file >= position.file || file === this.#current.file) continue;
      await rm(pathOf(this.#options.dir, file), { force: true });
      this.#files.delete(file);
    }
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#rotateWhenLong();
        const bytes = Buffer.concat(group.map((one) => one.frame));
        await this.#current.handle.appendFile(bytes);
        await this.#current.handle.datasync();
        this.#files.set(this.#current.file, (this.#files.get(this.#current.file) ?? 0) + bytes.length);
        for (const one of group) one.done();
      } catch (error) {
        for (const one of group) one.failed(error);
        await this.#cutBack();
      } finally {
        this.#waitingBytes -= group.reduce((sum, one) => sum + one.frame.length, 0);
      }
    }
  }

  /** Part of a failed write may stand in the file: what is appended later must not come after it. */
  async #cutBack(): Promise<void> {
    const { file, handle } = this.#current;
    await handle.truncate(this.#files.get(file) ?? 0).catch(() => {}); // the disk is failing: the next append says so again
  }

  async #rotateWhenLong(): Promise<void> {
    if ((this.#files.get(this.#current.file) ?? 0) < this.#options.fileBytes) return;
    const file = this.#current.file + 1;
    const handle = await open(pathOf(this.#options.dir, file), 'a', 0o600);
    await syncFolder(this.#options.dir);
    await this.#current.handle.close();
    this.#files.set(file, 0);
    this.#current = { file, handle };
  }
}

function pathOf(dir: string, file: number): string {
  return join(dir, `${String(file).padStart(10, '0')}.spool`);
}

async function fileNumbers(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names
    .filter((name) => /^\d{10}\.spool$/.test(name))
    .map((name) => Number(name.slice(0, 10)))
    .sort((a, b) => a - b);
}

async function readPosition(dir: string, files: ReadonlyMap<number, number>): Promise<SpoolPosition | undefined> {
  const oldest = [...files.keys()][0];
  if (oldest === undefined) return undefined;
  try {
    const read = JSON.parse(await readFile(join(dir, 'position.json'), 'utf8')) as Partial<SpoolPosition>;
    if (typeof read.file === 'number' && typeof read.offset === 'number') {
      const size = files.get(read.file);
      if (size !== undefined && read.offset <= size) return { file: read.file, offset: read.offset };
    }
  } catch {
    // Missing or torn: everything that is still there is read again.
  }
  return { file: oldest, offset: 0 };
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A new file's name is durable once its folder is synced. */
async function syncFolder(dir: string): Promise<void> {
  if (!(await stat(dir)).isDirectory()) throw new Error(`expected a folder at ${dir}`);
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
