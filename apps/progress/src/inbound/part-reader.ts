/** Cuts a request body into parts. A body that breaks off ends early: what came until then is kept. */
export class PartReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array | undefined;
  #ended = false;
  #error: unknown;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  /** Why the body broke off; undefined: it did not. */
  get error(): unknown {
    return this.#error;
  }

  /** Whether there is at least one more byte; waits for it. */
  async hasMore(): Promise<boolean> {
    while (!this.#ended && (this.#rest === undefined || this.#rest.byteLength === 0)) {
      try {
        const next = await this.#pieces.next();
        if (next.done === true) this.#ended = true;
        else this.#rest = next.value;
      } catch (error) {
        this.#ended = true;
        this.#error = error;
      }
    }
    return this.#rest !== undefined && this.#rest.byteLength > 0;
  }

  /** The next bytes, at most `most` of them; `seen` is told of each piece. */
  async *take(most: number, seen: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array> {
    for (let left = most; left > 0 && (await this.hasMore()); ) {
      const piece = (this.#rest ?? new Uint8Array()).subarray(0, left);
      this.#rest = this.#rest?.subarray(piece.byteLength);
      left -= piece.byteLength;
      seen(piece);
      yield piece;
    }
  }
}
