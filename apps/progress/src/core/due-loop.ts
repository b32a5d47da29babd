/**
 * A loop over work that lies in the database until its time: all that is due, then a look every second, sooner when somebody of this
 * instance says that there is something new. A round that fails is counted, logged and tried again.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';

export interface DueLoopOptions {
  /** For the metric. */
  readonly name: string;
  /** Logged when a round fails. */
  readonly failureEvent: string;
  /** Does some of what is due; false: nothing was left. */
  readonly work: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: { readonly loopFailures: { inc(labels: { readonly loop: string }): void } };
}

const periodMs = 1_000;

export class DueLoop {
  readonly #options: DueLoopOptions;
  #wake: () => void = () => {};

  constructor(options: DueLoopOptions) {
    this.#options = options;
  }

  /** Something is due now. A word that comes during a round makes another round follow at once. */
  wake(): void {
    this.#wake();
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { name, failureEvent, work, clock, log, metrics } = this.#options;
    while (!signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      try {
        while (!signal.aborted && (await work(signal))) {
          // there may be more
        }
      } catch (error) {
        if (signal.aborted) return;
        metrics.loopFailures.inc({ loop: name });
        log.warn(failureEvent, { error });
      }
      await sleep(clock, periodMs, AbortSignal.any([signal, woken.signal]));
    }
  }
}
