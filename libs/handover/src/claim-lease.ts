import type { Clock, Timer } from '@millrace/clock';

/** Silence that ends a claim, ms. Workers send a heartbeat every 250 ms, so five may be lost. */
export const leaseMs = 1_500;

/** A timer that fires this much too late says that this process stood still, ms: heartbeats may be waiting unread. */
const stallMs = 250;

/**
 * The watch over one claim: `onSilent` is called once when `renew` was not called for `leaseMs`. A process that itself
 * stood still first gets time to read the heartbeats that came meanwhile, so that its own pause costs nobody a claim.
 */
export class ClaimLease {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #renewedMs: number;
  #timer: Timer;

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock;
    this.#onSilent = onSilent;
    this.#renewedMs = clock.monotonicMs();
    this.#timer = this.#wait(leaseMs);
  }

  /** A sign of life. */
  renew(): void {
    this.#renewedMs = this.#clock.monotonicMs();
  }

  /** Stops the watch; `onSilent` is not called afterwards. */
  end(): void {
    this.#timer.cancel();
  }

  /** One timer a lease, put off to the newest heartbeat when it fires: heartbeats cost no timer calls. */
  #wait(delayMs: number): Timer {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    return this.#clock.after(delayMs, () => {
      const nowMs = this.#clock.monotonicMs();
      const leftMs = this.#renewedMs + leaseMs - nowMs;
      if (leftMs > 0) this.#timer = this.#wait(leftMs);
      else if (nowMs - dueMs > stallMs) this.#timer = this.#wait(stallMs);
      else this.#onSilent();
    });
  }
}
