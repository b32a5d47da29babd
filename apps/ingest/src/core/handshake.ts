/** The client's half of the RTMP handshake (5.2): C0 and C1 are handed over whole, then C2, whatever the fragments. */
import { type GuardFault, guardFault } from './guard-fault.ts';

const version = 3;
const blockBytes = 1_536;

export class Handshake {
  readonly #onBlock: (bytes: Uint8Array) => void;
  #block = new Uint8Array(1 + blockBytes);
  #have = 0;
  #blocks = 0;

  /** `onBlock` gets C0 with C1, and later C2. */
  constructor(onBlock: (bytes: Uint8Array) => void) {
    this.#onBlock = onBlock;
  }

  get done(): boolean {
    return this.#blocks === 2;
  }

  /** Takes what belongs to the handshake; returns where the chunk stream starts in `bytes`, or the fault. */
  push(bytes: Uint8Array): number | GuardFault {
    if (this.#blocks === 0 && this.#have === 0 && bytes.length > 0 && bytes[0] !== version) {
      return guardFault('bad-handshake', `expected RTMP version 3, got ${describeFirstByte(bytes[0] ?? 0)}`);
    }
    let at = 0;
    while (at < bytes.length && !this.done) {
      const count = Math.min(this.#block.length - this.#have, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + count), this.#have);
      this.#have += count;
      at += count;
      if (this.#have === this.#block.length) {
        const block = this.#block;
        this.#blocks++;
        this.#have = 0;
        this.#block = new Uint8Array(this.done ? 0 : blockBytes);
        this.#onBlock(block);
      }
    }
    return at;
  }
}

function describeFirstByte(byte: number): string {
  if (byte === 0x16) return 'a TLS hello (RTMPS has its own port)';
  if (byte === 6) return '6 (RTMPE, which is not supported)';
  return String(byte);
}
