/**
 * Append-only memory. Consecutive takes lie side by side in one buffer until it is full, so that the frames of a part
 * are one slice of it. A slab is never written again after it was handed out, and lives as long as somebody holds a view.
 *
 * Most slabs are shared memory, which V8 does not count towards the next full collection; every eighth is not, and so still
 * drives one. Thirty publishers fill 10 MB of slabs a second: counted in full that was a full collection a second and a
 * quarter of the whole process's CPU. Counted in part, at most some 80 MB wait for the collector, whatever the rate.
 */
export class Slab {
  readonly #bytes: number;
  #memory: Uint8Array;
  #used = 0;
  #slabs = 0;

  /** `bytes` is the size of one buffer. */
  constructor(bytes = 262_144) {
    this.#bytes = bytes;
    this.#memory = new Uint8Array(0);
  }

  /** A view of `length` fresh zero bytes; longer than a whole slab: a buffer of its own. */
  take(length: number): Uint8Array {
    if (length > this.#memory.length - this.#used) {
      if (length > this.#bytes) return new Uint8Array(length);
      const counted = this.#slabs++ % countedEvery === 0;
      this.#memory = new Uint8Array(counted ? new ArrayBuffer(this.#bytes) : new SharedArrayBuffer(this.#bytes));
      this.#used = 0;
    }
    const view = this.#memory.subarray(this.#used, this.#used + length);
    this.#used += length;
    return view;
  }
}

const countedEvery = 8;
