import type { Clock } from '@millrace/clock';

/** A loop's doorbell: rings are remembered until the loop waits, several count as one. */
export class Wakeup {
  #rung = false;
  #ring: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Resolves at the next ring (at once if it rang since the last wait), on abort, or after `timeoutMs`. */
  wait(signal: AbortSignal, clock?: Clock, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer?.cancel();
        signal.removeEventListener('abort', done);
        this.#ring = undefined;
        this.#rung = false;
        resolve();
      };
      const timer = timeoutMs !== undefined ? clock?.after(timeoutMs, done) : undefined;
      if (this.#rung || signal.aborted) return done();
      this.#ring = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
