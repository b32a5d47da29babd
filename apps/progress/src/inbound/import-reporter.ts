/** Says how much of an original has come, not more often than is worth it: in its row, for the API, and in the log, for the hub. */
import type { Clock, Timer } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import { importMoved } from '../core/import-facts.ts';
import type { ImportProgress, ImportRecord } from '../core/import-rows.ts';
import type { ProgressStore } from '../core/store.ts';

export interface ImportReporterDeps {
  readonly store: Pick<ProgressStore, 'transaction'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const periodMs = 500;

/** Reports from when it is made until it is closed, which waits for a report that is under way. */
export class ImportReporter implements AsyncDisposable {
  readonly #wish: ImportRecord;
  readonly #deps: ImportReporterDeps;
  readonly #timer: Timer;
  readonly #startMs: number;
  readonly #read: () => ImportProgress;
  #told: number | undefined;
  #telling: Promise<void> = Promise.resolve();
  #busy = false;

  /** `read` says how much has come. */
  constructor(wish: ImportRecord, read: () => ImportProgress, deps: ImportReporterDeps) {
    this.#wish = wish;
    this.#read = read;
    this.#deps = deps;
    this.#startMs = deps.clock.monotonicMs();
    this.#timer = deps.clock.every(periodMs, () => this.#report());
    this.#report();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    await this.#telling;
  }

  #report(): void {
    const progress = this.#read();
    if (this.#busy || progress.receivedBytes === this.#told) return;
    this.#busy = true;
    this.#told = progress.receivedBytes;
    this.#telling = this.#tell(progress).finally(() => {
      this.#busy = false;
    });
  }

  async #tell(progress: ImportProgress): Promise<void> {
    const { store, clock, log } = this.#deps;
    const { subject, ownerId, tries } = this.#wish;
    const seconds = Math.max(0.001, (clock.monotonicMs() - this.#startMs) / 1_000);
    const video = { videoId: subject, ownerId };
    const fact = importMoved(video, tries, progress, progress.receivedBytes / seconds, clock.nowMs());
    try {
      await store.transaction(async (tx) => {
        if (await tx.imports.moved(subject, progress)) await tx.publish([fact]);
      });
    } catch (error) {
      log.warn('import-not-reported', { subject, error }); // the next report says more
    }
  }
}
