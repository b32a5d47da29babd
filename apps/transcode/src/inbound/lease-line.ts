import type { LeasedTask, LeaseRequest, TaskEnd, TaskReport } from '@millrace/api';
import type { Clock } from '@millrace/clock';
import type { JobLeases, LeaseFailure, LeaseStanding } from '@millrace/handover';
import type { Logger } from '@millrace/log';
import { err, type Result } from '@millrace/result';
import type { TranscodeMetrics } from '../metrics.ts';

export interface LeaseLineOptions {
  readonly leases: JobLeases;
  /** Of this start of the worker: another one after a restart, so that nobody speaks for a run that is gone. */
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TranscodeMetrics;
}

/** Calls of one worker to progress, counted; what a port by reference throws counts as unavailable. */
export class LeaseLine {
  readonly #options: LeaseLineOptions;
  #lostTouchMs: number | undefined;

  constructor(options: LeaseLineOptions) {
    this.#options = options;
  }

  /** How long progress has not answered, ms; 0: it does. */
  get outOfTouchMs(): number {
    return this.#lostTouchMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#lostTouchMs;
  }

  lease(
    request: Omit<LeaseRequest, 'worker_id'>,
    signal: AbortSignal,
  ): Promise<Result<readonly LeasedTask[], LeaseFailure>> {
    const { leases, workerId } = this.#options;
    return this.#call('lease', () => leases.lease({ worker_id: workerId, ...request }, signal));
  }

  report(reports: readonly TaskReport[]): Promise<Result<readonly LeaseStanding[], LeaseFailure>> {
    return this.#call('report', () => this.#options.leases.report(this.#options.workerId, reports));
  }

  end(end: TaskEnd): Promise<Result<LeaseStanding, LeaseFailure>> {
    return this.#call('end', () => this.#options.leases.end(this.#options.workerId, end));
  }

  async #call<T>(
    reason: 'lease' | 'report' | 'end',
    call: () => Promise<Result<T, LeaseFailure>>,
  ): Promise<Result<T, LeaseFailure>> {
    const result = await call().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      return err({ kind: 'unavailable' as const, message });
    });
    if (result.ok) {
      this.#lostTouchMs = undefined;
      return result;
    }
    this.#lostTouchMs ??= this.#options.clock.monotonicMs();
    this.#options.metrics.leaseCallsFailed.inc({ reason });
    this.#options.log.warn('lease-call-failed', {
      call: reason,
      failure: result.error.kind,
      detail: result.error.message,
    });
    return result;
  }
}
