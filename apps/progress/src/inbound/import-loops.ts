/**
 * The loops of imports: each takes what is due off a list in the database, fetches it, and enters what came of it. Any instance may
 * do it; what one that died had begun is taken up by the next. What failed for now is tried again, later each time.
 */
import type { Clock } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { Result } from '@millrace/result';
import { DueLoop } from '../core/due-loop.ts';
import type { ImportRecord, ImportRows } from '../core/import-rows.ts';
import type { Rows } from '../core/store.ts';
import type { DownloadFailure } from './download.ts';

/** What the loops need of what they import. */
export interface ImportKind<T> {
  readonly of: 'original' | 'picture';
  readonly rows: (rows: Rows) => ImportRows;
  /** Tries after which it is given up. */
  readonly mostTries: number;
  fetch(wish: ImportRecord, signal: AbortSignal): Promise<Result<T, DownloadFailure>>;
  arrived(wish: ImportRecord, fetched: T): Promise<void>;
  /** It will not come. */
  failed(wish: ImportRecord, reason: string): Promise<void>;
}

export interface ImportLoopDeps {
  readonly store: Rows;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: {
    readonly imports: { inc(labels: { readonly of: string; readonly outcome: string }): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
}

/** An instance that dies while it fetches leaves it to others after this, ms; who lives puts it off again in time. */
const takenMs = 6_000;
const goesOnMs = 2_000;

export class ImportLoops<T> {
  readonly #kind: ImportKind<T>;
  readonly #deps: ImportLoopDeps;
  readonly #loops: DueLoop[] = [];

  constructor(kind: ImportKind<T>, deps: ImportLoopDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /** There is something new on the list. */
  wake(): void {
    for (const loop of this.#loops) loop.wake();
  }

  /** A loop that fetches what is due, one at a time. As many are run as are to be fetched at once. */
  add(): DueLoop {
    const work = (signal: AbortSignal) => this.#importOne(signal);
    const name = this.#kind.of === 'original' ? 'importer' : 'picture-importer';
    const loop = new DueLoop({ ...this.#deps, name, failureEvent: 'import-not-done', work });
    this.#loops.push(loop);
    return loop;
  }

  /** Fetches what is due; false: nothing is. */
  async #importOne(signal: AbortSignal): Promise<boolean> {
    const { store, clock, log, metrics } = this.#deps;
    const { of } = this.#kind;
    const rows = this.#kind.rows(store);
    const nowMs = clock.nowMs();
    const wish = await rows.take(nowMs, nowMs + takenMs);
    if (wish === undefined) return false;
    const { subject } = wish;
    const over = new AbortController();
    const timer = clock.every(goesOnMs, () => {
      rows.putOff(subject, clock.nowMs() + takenMs).then(
        (goesOn) => {
          if (!goesOn) over.abort(new Error(`${subject} was deleted`));
        },
        (error: unknown) => log.warn('import-not-put-off', { subject, error }), // at worst it is done twice
      );
    });
    try {
      const fetched = await this.#kind.fetch(wish, AbortSignal.any([signal, over.signal]));
      if (!fetched.ok) await this.#failed(wish, fetched.error);
      else {
        await this.#kind.arrived(wish, fetched.value);
        metrics.imports.inc({ of, outcome: 'done' });
      }
    } catch (error) {
      if (over.signal.aborted) return true;
      // an instance that ends leaves it to others at once
      if (signal.aborted) await rows.putOff(subject, clock.nowMs());
      throw error;
    } finally {
      timer.cancel();
    }
    return true;
  }

  async #failed(wish: ImportRecord, { reason, retryable }: DownloadFailure): Promise<void> {
    const { store, clock, log, metrics } = this.#deps;
    const { of, mostTries } = this.#kind;
    if (retryable === 'elsewhere') return;
    log.warn('import-failed', { of, subject: wish.subject, tries: wish.tries, reason });
    if (retryable !== false && wish.tries < mostTries) {
      metrics.imports.inc({ of, outcome: 'retried' });
      const laterMs = retryable === 'at-once' ? 0 : backoffMs(wish.tries, 2_000, 300_000, Math.random());
      await this.#kind.rows(store).putOff(wish.subject, clock.nowMs() + laterMs);
      return;
    }
    await this.#kind.failed(wish, reason);
    metrics.imports.inc({ of, outcome: 'failed' });
  }
}
