/**
 * A count of claimed bytes with a ceiling. A connection's budget has the process's as its parent, so that many small
 * claims are bounded as well as one large one.
 */
export class ByteBudget {
  #limit: number;
  readonly #parent: ByteBudget | undefined;
  #used = 0;

  constructor(limit: number, parent?: ByteBudget) {
    this.#limit = limit;
    this.#parent = parent;
  }

  get used(): number {
    return this.#used;
  }

  /** A new ceiling for claims from now on. */
  set limit(bytes: number) {
    this.#limit = bytes;
  }

  /** Claims `bytes`; false (and nothing claimed) when that would pass a ceiling here or above. */
  reserve(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false;
    if (this.#parent !== undefined && !this.#parent.reserve(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
    this.#parent?.release(bytes);
  }
}
