/**
 * The port between progress, which owns the jobs, and the workers that do their tasks. In one process it is called directly;
 * between processes it is `POST /internal/v1/leases` and its neighbours. A worker leases tasks, keeps each lease alive by reports
 * at least once a second, and stops a task at once when it is told so or when it could not renew for the length of a lease.
 */
import type { LeasedTask, LeaseRequest, StopOrder, TaskEnd, TaskReport } from '@millrace/api';
import type { Result } from '@millrace/result';

/** How long a lease lives without a report, ms. */
export const jobLeaseMs = 5_000;
/** How often a worker says that it is alive, ms. */
export const jobHeartbeatMs = 1_000;
/** Shortest time between two reports that move a task's progress, ms. */
export const jobReportMs = 250;

/** `unavailable` may pass; `refused` is a mistake of the caller. */
export type LeaseFailure =
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

/** What became of a report or an end: `taken`, or `lost` when the lease is not the worker's any more. */
export type LeaseStanding = 'taken' | 'lost';

export interface JobLeases {
  /** Gives at least one task as soon as there is one, none when `wait_ms` went by. */
  lease(request: LeaseRequest, signal: AbortSignal): Promise<Result<readonly LeasedTask[], LeaseFailure>>;
  /** Renews leases and moves progress; answers in the order of the reports. At most 64 a call. */
  report(workerId: string, reports: readonly TaskReport[]): Promise<Result<readonly LeaseStanding[], LeaseFailure>>;
  /** Ends a lease. Repeating it is harmless: a `done` that was taken is answered `taken` again. */
  end(workerId: string, end: TaskEnd): Promise<Result<LeaseStanding, LeaseFailure>>;
  /**
   * Stop orders for this worker as they are given, those that were given before included, until `signal` aborts or the connection
   * breaks (then it ends or throws, and the caller asks again).
   */
  stops(workerId: string, signal: AbortSignal): AsyncIterable<StopOrder>;
}
