import { err, ok, type Result } from '@millrace/result';

/**
 * Splits a byte stream into lines of UTF-8, at most `maxBytes` each. A line that would be longer breaks the stream for
 * good. Carriage returns at a line's end and empty lines are dropped: an empty line is a sign of life, no more.
 */
export class LineReader {
  readonly #maxBytes: number;
  #rest = Buffer.alloc(0);
  #broken = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes and returns the lines they complete. */
  feed(bytes: Uint8Array): Result<readonly string[], { readonly kind: 'line-too-long'; readonly message: string }> {
    const all = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const lines: string[] = [];
    let from = 0;
    for (let at = all.indexOf(10); at >= 0 && !this.#broken; at = all.indexOf(10, from)) {
      if (at - from > this.#maxBytes) this.#broken = true;
      else {
        const line = all.toString('utf8', from, all[at - 1] === 13 && at > from ? at - 1 : at);
        if (line !== '') lines.push(line);
      }
      from = at + 1;
    }
    this.#rest = all.subarray(from);
    if (this.#rest.length > this.#maxBytes) this.#broken = true;
    if (!this.#broken) return ok(lines);
    this.#rest = Buffer.alloc(0);
    return err({ kind: 'line-too-long', message: `expected lines of at most ${this.#maxBytes} bytes` });
  }
}
