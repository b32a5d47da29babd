/** Acknowledgements (5.4.3): after every window of received bytes the peer is told the sum, modulo 2^32. */
const smallestWindow = 65_536;
const largestWindow = 10_000_000;

export class AckCounter {
  readonly #acknowledge: (bytes: number) => void;
  #window = 2_500_000;
  #received = 0;
  #acknowledged = 0;

  constructor(acknowledge: (bytes: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** The peer's Window Acknowledgement Size, kept within sensible bounds. */
  every(bytes: number): void {
    this.#window = Math.min(largestWindow, Math.max(smallestWindow, bytes));
  }

  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received - this.#acknowledged < this.#window) return;
    this.#acknowledged = this.#received;
    this.#acknowledge(this.#received);
  }
}
