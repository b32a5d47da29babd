import type { TaskEnd } from '@millrace/api';
import { type Clock, sleep } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { LeaseBook, type LeaseKey, textOf } from '../core/lease-book.ts';
import { refusedEnd } from '../core/task-outcome.ts';
import type { LeaseLine } from './lease-line.ts';

export interface LeaseKeeperOptions {
  readonly line: LeaseLine;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1): the jitter of retries. */
  readonly random: () => number;
  /** A lease is gone: its work has to stop, nobody listens to it any more. */
  readonly onGone: (key: LeaseKey, why: 'lost' | 'lapsed') => void;
}

/** How a lease ended, for the metric. */
export type Heard = 'done' | 'failed' | 'retryable' | 'stopped' | 'returned' | 'lost' | 'lapsed' | 'refused';

/** An end that was not heard by then, although reports are, is given up, ms: there is something wrong with it. */
const patienceMs = 30_000;
/** How often due reports and lapses are looked for, ms. */
const tickMs = 100;

/** Keeps leases alive by reports, notices when they are gone, and says how their tasks ended. */
export class LeaseKeeper implements AsyncDisposable {
  readonly #options: LeaseKeeperOptions;
  readonly #book = new LeaseBook();
  /** Leases whose end is being said: aborts when nobody listens any more. */
  readonly #ending = new Map<string, AbortController>();
  readonly #ticks: { cancel(): void };
  #reporting: Promise<void> | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#ticks = options.clock.every(tickMs, () => this.#tick());
  }

  /** A lease that was just got. */
  add(key: LeaseKey): void {
    this.#book.add(key, this.#options.clock.monotonicMs());
    this.#report();
  }

  progress(key: LeaseKey, done: number, phase: string | undefined): void {
    this.#book.progress(key, done, phase);
    this.#report();
  }

  /** Lets a lease lapse that is of no use any more. */
  abandon(key: LeaseKey): void {
    this.#book.remove(key);
  }

  /** Says an end until it is taken or the lease is gone; the lease is kept alive meanwhile, and forgotten then. */
  async end(first: TaskEnd): Promise<Heard> {
    const { line, log, random, clock } = this.#options;
    const unheard = new AbortController();
    const untilMs = clock.monotonicMs() + patienceMs;
    this.#ending.set(textOf(first), unheard);
    try {
      let end = first;
      for (let attempt = 0; this.#book.has(first) && clock.monotonicMs() < untilMs; attempt++) {
        const standing = await line.end(end);
        if (standing.ok) return standing.value === 'taken' ? heard(end) : 'lost';
        if (standing.error.kind === 'refused') {
          const { message } = standing.error;
          log.error('task-end-refused', { task_id: end.task_id, fence: end.fence, end: end.kind, detail: message });
          if (end.kind !== 'done') return 'refused';
          end = refusedEnd(end, message);
        } else await sleep(clock, backoffMs(attempt, 100, 1_000, random()), unheard.signal);
      }
      return 'lapsed';
    } finally {
      this.#ending.delete(textOf(first));
      this.#book.remove(first);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticks.cancel();
    await this.#reporting;
  }

  #tick(): void {
    // What would lapse before the next look: when progress gives the task to another, this worker has stopped.
    for (const key of this.#book.lapsed(this.#options.clock.monotonicMs() + tickMs)) this.#gone(key, 'lapsed');
    this.#report();
  }

  #gone(key: LeaseKey, why: 'lost' | 'lapsed'): void {
    this.#book.remove(key);
    this.#ending.get(textOf(key))?.abort();
    this.#options.onGone(key, why);
  }

  /** Sends what is due, one call at a time. */
  #report(): void {
    if (this.#reporting !== undefined) return;
    const { line, clock } = this.#options;
    const sentMs = clock.monotonicMs();
    const reports = this.#book.takeDue(sentMs, 64);
    if (reports.length === 0) return;
    this.#reporting = line.report(reports).then((standings) => {
      this.#reporting = undefined;
      if (!standings.ok) return this.#book.unanswered(reports);
      for (const key of this.#book.answered(reports, standings.value, sentMs)) {
        // An end that is under way may have been taken just now, and be why: then its own answer tells.
        if (this.#book.has(key) && !this.#ending.has(textOf(key))) this.#gone(key, 'lost');
      }
    });
  }
}

function heard(end: TaskEnd): Heard {
  return end.kind === 'failed' && end.failure.retryable ? 'retryable' : end.kind;
}
