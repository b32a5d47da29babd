import type { JobAttempt, TaskKind, TaskResult, TaskSpec } from '@millrace/api';
import type { JobKind } from '@millrace/events';
import type { TaskState } from '@millrace/job';
import type { Priority } from './job-desk.ts';

/** A task as it is stored. Times are ms since 1970. */
export interface TaskRecord {
  readonly taskId: string;
  readonly jobId: string;
  readonly key: string;
  readonly step: string;
  readonly spec: TaskSpec;
  readonly optional: boolean;
  readonly share: number;
  readonly rank: number;
  readonly status: TaskState;
  /** Rises with every lease. */
  readonly fence: number;
  readonly workerId: string | undefined;
  readonly leasedUntilMs: number | undefined;
  readonly stoppingAtMs: number | undefined;
  readonly runAtMs: number;
  /** 0..1. */
  readonly done: number;
  readonly phase: string | undefined;
  readonly failures: number;
  readonly lapses: number;
  readonly result: TaskResult | undefined;
}

export interface FoundTask {
  readonly taskId: string;
  readonly jobId: string;
  readonly fence: number;
  readonly specKind: TaskKind;
  readonly kind: JobKind;
  readonly subject: string;
}

/** A task to enter. */
export interface NewTask {
  readonly taskId: string;
  readonly jobId: string;
  readonly key: string;
  readonly step: string;
  readonly spec: TaskSpec;
  readonly share: number;
  readonly optional: boolean;
  readonly rank: number;
  readonly priority: Priority;
  readonly ownerId: string;
  readonly starting: boolean;
  /** Tasks whose results it gets, in this order. */
  readonly after: readonly string[];
  /** How many things it waits for; 0: it can be leased. */
  readonly waitingFor: number;
}

/** What a step is made of: sums over its tasks. */
export interface TaskSums {
  readonly jobId: string;
  readonly step: string;
  readonly tasks: number;
  /** Tasks that may still change. */
  readonly open: number;
  readonly leased: number;
  /** Whether any was leased ever. */
  readonly touched: boolean;
  /** Mean of `done`, weighted by share, 0..1. */
  readonly done: number;
  /** What the task that runs longest says that it does. */
  readonly phase: string | undefined;
  /** The soonest time at which a ready task may be leased; undefined: none is ready. */
  readonly readyAtMs: number | undefined;
}

/** A lease that was taken. */
export interface Lease {
  readonly taskId: string;
  readonly jobId: string;
  readonly fence: number;
  readonly spec: TaskSpec;
}

export interface LeaseWish {
  readonly workerId: string;
  readonly kinds: readonly TaskKind[];
  readonly slots: number;
  readonly nowMs: number;
  readonly leasedUntilMs: number;
}

/** A ready task whose job has not started. */
export interface StartCandidate {
  readonly taskId: string;
  readonly jobId: string;
}

export interface Renewal {
  readonly taskId: string;
  readonly fence: number;
  /** 0..1. */
  readonly done: number | undefined;
  readonly phase: string | undefined;
}

/** How a lease ended, for the history. */
export interface AttemptEnd {
  readonly taskId: string;
  readonly fence: number;
  readonly outcome: Exclude<JobAttempt['outcome'], 'running'>;
  readonly reason: string | undefined;
}

/** A stop order, with the worker that it goes to. */
export interface Stop {
  readonly workerId: string;
  readonly taskId: string;
  readonly fence: number;
}

export interface TaskRows {
  insert(tasks: readonly NewTask[], nowMs: number): Promise<void>;
  get(taskId: string): Promise<TaskRecord | undefined>;
  /** What is needed before the locks: whose task it is, and of what job. */
  find(taskId: string): Promise<FoundTask | undefined>;
  /** All tasks of a job in the order of planning. */
  ofJob(jobId: string): Promise<readonly TaskRecord[]>;
  lock(taskId: string): Promise<TaskRecord | undefined>;
  /** Locks the tasks of a job that may still change, by id. */
  lockOpen(jobId: string): Promise<readonly TaskRecord[]>;

  /**
   * Leases ready tasks of jobs that run, passing over what others are just leasing; first by priority, then by age of the job, then by
   * rank. Ready tasks of jobs that have not started come back as candidates in their place of the queue, unless their owner has
   * `maxProcessing` jobs that run.
   */
  lease(
    wish: LeaseWish,
    maxProcessing: number,
  ): Promise<{
    readonly leases: readonly Lease[];
    readonly candidates: readonly StartCandidate[];
  }>;
  /** Leases these, as far as they are still ready and free. */
  leaseThese(wish: LeaseWish, taskIds: readonly string[]): Promise<readonly Lease[]>;
  /** Results of what these tasks waited for, in the order of the plan. */
  inputs(taskIds: readonly string[]): Promise<ReadonlyMap<string, readonly TaskResult[]>>;
  /** The job was started: its tasks are no candidates any more. */
  started(jobIds: readonly string[]): Promise<void>;
  /**
   * Prolongs the leases that are the worker's and moves their progress, which only rises; gives those it prolonged, and whether
   * they said anything new. One that was told to stop before `stoppedBeforeMs` is not prolonged any more.
   */
  renew(
    workerId: string,
    renewals: readonly Renewal[],
    times: { readonly leasedUntilMs: number; readonly stoppedBeforeMs: number },
  ): Promise<
    readonly { readonly taskId: string; readonly fence: number; readonly jobId: string; readonly moved: boolean }[]
  >;
  /** Leases that ended before `nowMs` without a word. */
  lapsed(nowMs: number, limit: number): Promise<readonly { readonly taskId: string; readonly jobId: string }[]>;

  /** The lease ended without a result: ready again, not before `runAtMs`. */
  requeue(
    taskId: string,
    runAtMs: number,
    counts: { readonly failures: number; readonly lapses: number },
  ): Promise<void>;
  /** It has ended for good, with a result or without one: what waited for it waits for one less. */
  finish(taskId: string, result: TaskResult | undefined): Promise<void>;
  cancel(taskIds: readonly string[]): Promise<void>;
  /** The job before it in its slot is gone: all of its tasks wait for one less. */
  releaseJob(jobId: string): Promise<void>;
  /** Tells the workers of these to stop; gives the orders. */
  order(taskIds: readonly string[], nowMs: number): Promise<readonly Stop[]>;
  /** Stop orders that are out, to these workers. */
  stops(workerIds: readonly string[]): Promise<readonly Stop[]>;

  sums(jobIds: readonly string[]): Promise<readonly TaskSums[]>;
  endAttempts(ends: readonly AttemptEnd[], nowMs: number): Promise<void>;
  /** The newest leases of a job's tasks. */
  attempts(jobId: string, limit: number): Promise<readonly JobAttempt[]>;
  /** Tasks that are ready or leased, by kind. */
  countByKind(): Promise<
    readonly { readonly kind: string; readonly status: 'ready' | 'leased'; readonly count: number }[]
  >;
}
