import type { JobKind } from '@millrace/events';
import type { PageRequest } from '@millrace/http';
import type { JobState } from '@millrace/job';
import type { JobIdentity, JobRecord, StepRecord } from './job-record.ts';
import type { NewTask } from './task-rows.ts';

export interface JobFilter {
  readonly ownerId: string | undefined;
  readonly kind: JobKind | undefined;
  readonly status: JobState | undefined;
  readonly subject: string | undefined;
}

/** How many jobs of a kind are in a state. */
export interface JobCount {
  readonly kind: string;
  readonly status: JobState;
  readonly count: number;
}

/** Jobs and their steps. */
export interface JobRows {
  /**
   * Enters a pending job with its steps and tasks; false when its slot has an active job (waits for one that is being entered), and then
   * nothing has happened. `ifBelow`: only into a slot that has no open or draining job at all, and only when fewer jobs of the owner wait
   * or run.
   */
  insert(
    job: JobIdentity & Pick<JobRecord, 'blocked' | 'phase'>,
    steps: readonly Pick<StepRecord, 'name' | 'weight' | 'phase'>[],
    tasks: readonly NewTask[],
    ifBelow?: number,
  ): Promise<boolean>;
  /** Takes an insert of this transaction back. */
  withdraw(jobId: string): Promise<void>;
  get(jobId: string): Promise<JobRecord | undefined>;
  getMany(jobIds: readonly string[]): Promise<readonly JobRecord[]>;
  /** The one that fills the slot: pending or processing, and not cancelling. */
  active(kind: JobKind, subject: string): Promise<JobRecord | undefined>;
  /** The jobs of a slot that are open or draining, by id, and how many jobs of the owner wait or run; without a lock. */
  look(
    kind: JobKind,
    subject: string,
    ownerId: string,
  ): Promise<{ readonly slot: readonly JobRecord[]; readonly open: number }>;
  /** The active one, else the one that was made last. */
  newest(kind: JobKind, subject: string): Promise<JobRecord | undefined>;
  lock(jobId: string): Promise<JobRecord | undefined>;
  /** Locks those that nobody else has locked; by id. */
  lockFree(jobIds: readonly string[]): Promise<readonly JobRecord[]>;
  /** Locks the jobs of a slot that are open or draining; by id. */
  lockSlot(kind: JobKind, subject: string): Promise<readonly JobRecord[]>;
  /** Writes everything that may change. */
  save(jobs: readonly JobRecord[]): Promise<void>;
  steps(jobIds: readonly string[]): Promise<readonly StepRecord[]>;
  saveSteps(steps: readonly StepRecord[]): Promise<void>;
  /** Jobs of an owner that wait or run. */
  countOpen(ownerId: string): Promise<number>;
  countProcessing(ownerId: string): Promise<number>;
  /** Waits for, and takes until the end of the transaction, the turn to start jobs of these owners. */
  takeTurn(ownerIds: readonly string[]): Promise<void>;
  /** The same turn for a slot: those who force their way into it. Taken before its jobs are locked. */
  takeSlotTurn(kind: JobKind, subject: string): Promise<void>;
  /** One page of jobs, from the newest id down. */
  list(filter: JobFilter, page: PageRequest): Promise<readonly JobRecord[]>;
  /** Jobs of each kind that wait or run. */
  countByKind(): Promise<readonly JobCount[]>;
  /** Half of the newest completed jobs of the kind took less, ms; undefined: there is none. */
  usualDurationMs(kind: JobKind): Promise<number | undefined>;
  /** Says that a subject is no more: its jobs are removed soon, whatever their age. */
  forget(kind: JobKind, subject: string): Promise<void>;
  /**
   * Removes at most `limit` jobs that ended before `endedBeforeMs`; the newest of each subject stays, without its tasks and attempts.
   * Forgotten ones go at any age once they have ended.
   */
  sweep(endedBeforeMs: number, limit: number): Promise<number>;
}
