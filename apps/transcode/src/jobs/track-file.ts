/** One track on scratch, put together of parts from several runs of ffmpeg: fragmented MP4 whose init section is written last. */
import { type FileHandle, open } from 'node:fs/promises';

/** Room for the init section in front; what it leaves is a `free` box. */
const headBytes = 16 * 1_024;

export class TrackFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  #at = headBytes;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<TrackFile> {
    return new TrackFile(path, await open(path, 'wx', 0o600));
  }

  /** A place to come back to. */
  get mark(): number {
    return this.#at;
  }

  /** Forgets what was written behind `mark`. */
  async backTo(mark: number): Promise<void> {
    await this.#handle.truncate(mark);
    this.#at = mark;
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) await this.#write(piece);
  }

  /** Puts the init section in front and closes the file. */
  async finish(init: Uint8Array): Promise<void> {
    const rest = headBytes - init.length;
    if (rest < 8) throw new Error(`expected an init section of at most ${headBytes - 8} bytes, got ${init.length}`);
    const head = Buffer.alloc(headBytes);
    head.set(init);
    head.writeUInt32BE(rest, init.length);
    head.write('free', init.length + 4, 'latin1');
    await this.#handle.write(head, 0, head.length, 0);
    await this.#handle.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#at);
      from += bytesWritten;
      this.#at += bytesWritten;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close().catch(() => {}); // closed already by `finish`
  }
}
