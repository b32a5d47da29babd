/** What a process writes, in a file that is bounded: at its limit it becomes `<name>.1.log` and a new one begins. */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const tailBytes = 64 * 1024;

export class ProcessLog implements Disposable {
  readonly #file: string;
  readonly #limitBytes: number;
  #descriptor: number;
  #bytes = 0;
  #tail = '';

  /** Begins `file` anew; at most twice `limitBytes` are kept on disk. */
  constructor(file: string, limitBytes = 16 * 1024 * 1024) {
    mkdirSync(dirname(file), { recursive: true });
    this.#file = file;
    this.#limitBytes = limitBytes;
    this.#descriptor = openSync(file, 'w');
  }

  write(bytes: Buffer): void {
    if (this.#descriptor < 0) return; // the last words of who was killed at the end
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#limitBytes) {
      closeSync(this.#descriptor);
      renameSync(this.#file, this.#file.replace(/\.log$/, '.1.log'));
      this.#descriptor = openSync(this.#file, 'w');
      this.#bytes = 0;
    }
    writeSync(this.#descriptor, bytes);
    this.#bytes += bytes.length;
    this.#tail = (this.#tail + bytes.toString('utf8')).slice(-tailBytes);
  }

  /** The last 64 KiB. */
  tail(): string {
    return this.#tail;
  }

  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}
