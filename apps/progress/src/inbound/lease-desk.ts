/**
 * The JobLeases of progress. Workers that find nothing to do wait here in order of asking, until a hint says that there may be work or
 * the next look is due; one look at a time, so that a hundred waiting workers do not ask the database a hundred times.
 */
import type { LeasedTask, LeaseRequest, StopOrder } from '@millrace/api';
import { type Clock, sleep } from '@millrace/clock';
import type { JobLeases, LeaseFailure } from '@millrace/handover';
import type { Logger } from '@millrace/log';
import { isRetryable } from '@millrace/postgres';
import { err, ok, type Result } from '@millrace/result';
import type { EngineDeps } from '../core/engine-deps.ts';
import { LeaseMistake, takeEnd } from '../core/task-ends.ts';
import { leaseTasks } from '../core/task-leasing.ts';
import { takeReports } from '../core/task-reports.ts';
import type { StopDesk } from './stop-desk.ts';

interface Waiter {
  readonly request: LeaseRequest;
  settle(result: Result<readonly LeasedTask[], LeaseFailure>): void;
  readonly settled: () => boolean;
  /** A look for it is on its way. */
  served: boolean;
  /** It has waited as long as it wanted to: what the look on its way finds is its last answer. */
  expired: boolean;
}

export interface LeaseDeskOptions {
  readonly engine: EngineDeps;
  readonly stops: StopDesk;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest time until a lost hint is made good, ms. */
  readonly pollMs: number;
}

/** Most reports of one call. */
const mostReports = 64;
/** Looks of this instance at a time. */
const lanes = 3;

export class JobLeaseDesk implements JobLeases {
  readonly #options: LeaseDeskOptions;
  readonly #waiting: Waiter[] = [];
  #looking = 0;
  /** Rises with every hint: a look that began before it does not count as having found nothing. */
  #hints = 0;

  constructor(options: LeaseDeskOptions) {
    this.#options = options;
  }

  /** Workers that wait for work here. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** There may be work. */
  wake(): void {
    this.#hints++;
    while (this.#looking < Math.min(lanes, this.#waiting.length)) {
      this.#looking++;
      void this.#look().finally(() => {
        this.#looking--;
      }); // never rejects: each waiter is told of its own failure
    }
  }

  async lease(request: LeaseRequest, signal: AbortSignal): Promise<Result<readonly LeasedTask[], LeaseFailure>> {
    if (signal.aborted) return ok([]);
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let settled = false;
      const settle = (result: Result<readonly LeasedTask[], LeaseFailure>) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        signal.removeEventListener('abort', leave);
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve(result);
      };
      const leave = () => settle(ok([]));
      const waiter: Waiter = { request, settle, settled: () => settled, served: false, expired: false };
      const timer = clock.after(request.wait_ms, () => {
        waiter.expired = true;
        if (!waiter.served) leave();
      });
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      this.wake(); // it is looked for once, even when it does not want to wait
    });
  }

  async report(...[workerId, reports]: Parameters<JobLeases['report']>): ReturnType<JobLeases['report']> {
    if (reports.length > mostReports) {
      return err({ kind: 'refused', message: `expected at most ${mostReports} reports, got ${reports.length}` });
    }
    return this.#attempt(() => takeReports(this.#options.engine, workerId, reports));
  }

  async end(...[workerId, end]: Parameters<JobLeases['end']>): ReturnType<JobLeases['end']> {
    return this.#attempt(() => takeEnd(this.#options.engine, workerId, end));
  }

  stops(workerId: string, signal: AbortSignal): AsyncIterable<StopOrder> {
    return this.#options.stops.follow(workerId, signal);
  }

  /** Looks for work now and then, for hints that were lost and for pauses that are over. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.clock, this.#options.pollMs, signal);
      this.wake();
    }
    for (const waiter of [...this.#waiting]) waiter.settle(ok([]));
  }

  /** Serves who waits, first come first served, until nothing is found for any of them. */
  async #look(): Promise<void> {
    const inVain = new Set<string>();
    let seen = this.#hints;
    for (;;) {
      if (seen !== this.#hints) {
        seen = this.#hints;
        inVain.clear();
      }
      const at = this.#waiting.findIndex((one) => !inVain.has(kindsOf(one.request)));
      const waiter = this.#waiting[at];
      if (waiter === undefined) return;
      this.#waiting.splice(at, 1); // no other lane serves it meanwhile
      waiter.served = true;
      const result = await this.#attempt(() => leaseTasks(this.#options.engine, waiter.request));
      if (result.ok && result.value.length === 0) {
        inVain.add(kindsOf(waiter.request));
        waiter.served = false;
        if (waiter.expired) waiter.settle(result);
        if (!waiter.settled()) this.#waiting.splice(Math.min(at, this.#waiting.length), 0, waiter);
        continue;
      }
      if (waiter.settled() && result.ok) await this.#giveBack(waiter.request, result.value);
      waiter.settle(result);
    }
  }

  /** Who asked has gone meanwhile: the tasks go to others at once, not when the leases lapse. */
  async #giveBack(request: LeaseRequest, tasks: readonly LeasedTask[]): Promise<void> {
    for (const { task_id, fence } of tasks) {
      await this.end(request.worker_id, { kind: 'returned', task_id, fence });
    }
  }

  /** What fails because the database is away may be tried again by the worker; anything else is a fault of ours. */
  async #attempt<T>(work: () => Promise<T>): Promise<Result<T, LeaseFailure>> {
    for (let tries = 0; ; tries++) {
      try {
        return ok(await work());
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof LeaseMistake) return err({ kind: 'refused', message });
        const passing = isRetryable(error);
        if (passing && isConflict(error) && tries < 5) continue;
        if (!passing) this.#options.log.error('lease-call-crashed', { error });
        return err({ kind: 'unavailable', message });
      }
    }
  }
}

function kindsOf(request: LeaseRequest): string {
  return [...request.kinds].sort().join(' ');
}

/** Two transactions were in each other's way: the loser may go at once. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');
}
