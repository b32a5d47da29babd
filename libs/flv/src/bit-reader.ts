/**
 * Reads bits, most significant first. Past the end it yields zeros and sets `overrun`, so that a parser of hostile bytes
 * checks once at its end and never throws.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  overrun = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits that are left. */
  get left(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  /** An unsigned number of `count` bits, 0 to 32. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#position >> 3];
      if (byte === undefined) this.overrun = true;
      value = value * 2 + (((byte ?? 0) >> (7 - (this.#position & 7))) & 1);
      this.#position++;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v), H.264 9.1. */
  unsignedGolomb(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      zeros++;
      if (zeros > 31 || this.overrun) {
        this.overrun = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v), H.264 9.1.1. */
  signedGolomb(): number {
    const value = this.unsignedGolomb();
    return value % 2 === 0 ? -value / 2 : (value + 1) / 2;
  }
}
