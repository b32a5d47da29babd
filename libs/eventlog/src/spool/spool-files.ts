/**
 * The files of a spool: numbered segments that are appended to, fsynced, read from the oldest on and deleted when read.
 * Every start begins a new segment, so that nothing is ever written behind a torn entry.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecodedEntries, decodeEntries } from './spool-codec.ts';

const segmentPattern = /^(\d{10})\.spool$/;
const readBytes = 256_000;

interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes that may be read: fsynced, or left by an earlier run. */
  bytes: number;
}

export interface SpoolFilesOptions {
  readonly dir: string;
  /** A segment that has grown beyond this is followed by a new one. */
  readonly segmentBytes: number;
  /** Told of a segment whose rest cannot be read: data is lost. */
  readonly onDamaged: (path: string, lostBytes: number) => void;
}

export class SpoolFiles implements AsyncDisposable {
  readonly #options: SpoolFilesOptions;
  readonly #segments: Segment[];
  #handle: FileHandle;
  /** How far the first segment has been relayed. */
  #relayed: number;

  private constructor(options: SpoolFilesOptions, segments: Segment[], handle: FileHandle, relayed: number) {
    this.#options = options;
    this.#segments = segments;
    this.#handle = handle;
    this.#relayed = relayed;
  }

  static async open(options: SpoolFilesOptions): Promise<SpoolFiles> {
    const { dir } = options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const numbers = (await readdir(dir)).flatMap((name) => segmentPattern.exec(name)?.[1] ?? []).map(Number);
    numbers.sort((a, b) => a - b);
    const segments: Segment[] = [];
    for (const number of numbers) {
      const path = segmentPath(dir, number);
      const file = await open(path, 'r');
      segments.push({ number, path, bytes: (await file.stat()).size });
      await file.close();
    }
    const position = await readPosition(dir);
    const relayed = position !== undefined && position.number === segments[0]?.number ? position.bytes : 0;
    const next = (segments.at(-1)?.number ?? position?.number ?? 0) + 1;
    const path = segmentPath(dir, next);
    const handle = await createSegment(dir, path);
    segments.push({ number: next, path, bytes: 0 });
    return new SpoolFiles(options, segments, handle, Math.min(relayed, segments[0]?.bytes ?? 0));
  }

  /** Bytes that wait to be relayed. */
  get waitingBytes(): number {
    let bytes = -this.#relayed;
    for (const segment of this.#segments) bytes += segment.bytes;
    return bytes;
  }

  /** Appends entries and fsyncs them. Not to be called again before it has settled. */
  async append(entries: readonly Uint8Array[]): Promise<void> {
    const current = this.#current();
    await this.#handle.writev(entries as Uint8Array[], current.bytes);
    await this.#handle.datasync();
    for (const entry of entries) current.bytes += entry.length;
    if (current.bytes >= this.#options.segmentBytes) await this.#rotate();
  }

  /** The oldest entries that were not yet relayed, at most `maxFacts`; undefined when there are none. */
  async next(maxFacts: number): Promise<(DecodedEntries & { readonly token: number }) | undefined> {
    for (;;) {
      const [segment, ...later] = this.#segments;
      if (segment === undefined) return undefined;
      if (this.#relayed < segment.bytes) {
        const decoded = await this.#readAt(segment, maxFacts);
        if (decoded.facts.length > 0) return { ...decoded, token: segment.number };
        // A torn tail was never acknowledged; anything longer is damage that an operator should know of.
        this.#options.onDamaged(segment.path, segment.bytes - this.#relayed);
        this.#relayed = segment.bytes;
      }
      if (later.length === 0) return undefined;
      await this.#dropFirst();
    }
  }

  /** Entries that `next` gave are in the log: `bytes` of them in the segment `token`. */
  async relayed(token: number, bytes: number): Promise<void> {
    const first = this.#segments[0];
    if (first === undefined || first.number !== token) return;
    this.#relayed += bytes;
    // Not fsynced: when it is lost the same facts are relayed again, with the same ids.
    await writeFile(join(this.#options.dir, 'position'), `${first.number} ${this.#relayed}\n`, { mode: 0o600 });
    if (this.#relayed >= first.bytes && this.#segments.length > 1) await this.#dropFirst();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  #current(): Segment {
    const current = this.#segments.at(-1);
    if (current === undefined) throw new Error(`spool ${this.#options.dir} has no segment`);
    return current;
  }

  async #readAt(segment: Segment, maxFacts: number): Promise<DecodedEntries> {
    const file = await open(segment.path, 'r');
    try {
      const left = segment.bytes - this.#relayed;
      for (let size = Math.min(left, readBytes); ; size = Math.min(left, size * 4)) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, this.#relayed);
        const decoded = decodeEntries(buffer.subarray(0, bytesRead), maxFacts);
        if (decoded.facts.length > 0 || size === left || decoded.rest === 'damaged') return decoded;
      }
    } finally {
      await file.close();
    }
  }

  async #rotate(): Promise<void> {
    const number = this.#current().number + 1;
    const path = segmentPath(this.#options.dir, number);
    const next = await createSegment(this.#options.dir, path);
    const old = this.#handle;
    this.#handle = next;
    this.#segments.push({ number, path, bytes: 0 });
    await old.close();
  }

  async #dropFirst(): Promise<void> {
    const first = this.#segments.shift();
    this.#relayed = 0;
    if (first !== undefined) await rm(first.path, { force: true });
  }
}

function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(10, '0')}.spool`);
}

/** Creates a segment and fsyncs the folder, so that the file's name survives a power failure, too. */
async function createSegment(dir: string, path: string): Promise<FileHandle> {
  const handle = await open(path, 'wx', 0o600);
  const folder = await open(dir, 'r');
  await folder.sync().finally(() => folder.close());
  return handle;
}

async function readPosition(dir: string): Promise<{ number: number; bytes: number } | undefined> {
  const text = await readFile(join(dir, 'position'), 'utf8').catch(() => '');
  const match = /^(\d+) (\d+)\n$/.exec(text);
  return match ? { number: Number(match[1]), bytes: Number(match[2]) } : undefined;
}
