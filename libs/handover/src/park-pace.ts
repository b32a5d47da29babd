import { backoffMs } from '@millrace/lifecycle';

/** A claim held this long was a success, whatever ended it, ms. */
const provenMs = 10_000;

/**
 * When a slot may park again. At once after an ordinary end; after a lost claim or a failed connection with growing
 * waits and jitter, so that a worker that cannot hold a source does not take it a hundred times a second and a fleet does
 * not come back in one instant.
 */
export class ParkPace {
  readonly #random: () => number;
  readonly #baseMs: number;
  readonly #capMs: number;
  #failures = 0;

  constructor(options: { readonly random: () => number; readonly baseMs: number; readonly capMs: number }) {
    this.#random = options.random;
    this.#baseMs = options.baseMs;
    this.#capMs = options.capMs;
  }

  /** The wait, ms, after a claim that was held for `heldMs` and ended in order or was lost. */
  afterClaim(inOrder: boolean, heldMs: number): number {
    if (inOrder || heldMs >= provenMs) this.#failures = 0;
    return inOrder ? 0 : this.afterFailure();
  }

  /** The wait, ms, after an attempt that led to no claim. */
  afterFailure(): number {
    return backoffMs(this.#failures++, this.#baseMs, this.#capMs, this.#random());
  }

  /** Parked: the way there is open again. */
  parked(): void {
    this.#failures = 0;
  }
}
