/** Jobs whose tasks moved, counted together at most once an interval: however many reports come, a job is one state and one fact. */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';

export interface MovedJobsOptions {
  /** Counts these; gives those that are to be counted again. */
  readonly count: (jobIds: readonly string[]) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly onFailure: () => void;
}

/** Jobs of one transaction. */
const bite = 100;
/** Rounds after which a job that never comes free is left to its next report. */
const mostRounds = 20;

export class MovedJobs {
  readonly #options: MovedJobsOptions;
  readonly #moved = new Map<string, number>();
  #ring: () => void = () => {};

  constructor(options: MovedJobsOptions) {
    this.#options = options;
  }

  add(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.#moved.set(jobId, 0);
    this.#ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.#options;
    while (!signal.aborted) {
      if (this.#moved.size === 0) await this.#someMoved(signal);
      const startMs = clock.monotonicMs();
      await this.flush();
      await sleep(clock, Math.max(1, intervalMs - (clock.monotonicMs() - startMs)), signal);
    }
  }

  /** Counts everything that moved so far. */
  async flush(): Promise<void> {
    const moved = [...this.#moved];
    this.#moved.clear();
    for (let from = 0; from < moved.length; from += bite) {
      const some = new Map(moved.slice(from, from + bite));
      let again: readonly string[] = [...some.keys()];
      try {
        again = await this.#options.count(again);
      } catch (error) {
        this.#options.onFailure();
        this.#options.log.warn('progress-not-counted', { error });
      }
      for (const jobId of again) {
        const rounds = (some.get(jobId) ?? 0) + 1;
        if (rounds < mostRounds && !this.#moved.has(jobId)) this.#moved.set(jobId, rounds);
      }
    }
  }

  #someMoved(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#ring = () => {};
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#ring = done;
      return signal.addEventListener('abort', done, { once: true });
    });
  }
}
