/**
 * Append-only memory. Consecutive takes lie side by side in one ArrayBuffer until it is full, so that the frames of a part
 * are one slice of it. A slab is never written again after it was handed out, and lives as long as somebody holds a view.
 */
export class Slab {
  readonly #bytes: number;
  #memory: Uint8Array;
  #used = 0;

  /** `bytes` is the size of one ArrayBuffer. */
  constructor(bytes = 262_144) {
    this.#bytes = bytes;
    this.#memory = new Uint8Array(0);
  }

  /** A view of `length` fresh zero bytes; longer than a whole slab: an ArrayBuffer of its own. */
  take(length: number): Uint8Array {
    if (length > this.#memory.length - this.#used) {
      if (length > this.#bytes) return new Uint8Array(length);
      this.#memory = new Uint8Array(this.#bytes);
      this.#used = 0;
    }
    const view = this.#memory.subarray(this.#used, this.#used + length);
    this.#used += length;
    return view;
  }
}
