/**
 * The engine as the rest of progress sees it. Videos, compositions and images submit jobs in their own transaction and are told
 * in the engine's transaction what became of them, so a video and its job can never disagree.
 */
import type { TaskProgressResponse } from '@millrace/api';
import type { JobKind } from '@millrace/events';
import type { JobRecord } from './job-record.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { Transaction } from './store.ts';

export type Priority = 'low' | 'normal' | 'high';
export type JobEndStatus = 'completed' | 'failed' | 'cancelled';

/** A job as its subject's owner needs it; the whole of it is `JobDesk.progress`. */
export interface JobSummary {
  readonly jobId: string;
  readonly kind: JobKind;
  /** Video id, composition id, image name. */
  readonly subject: string;
  readonly ownerId: string;
  readonly request: unknown;
  readonly status: 'pending' | 'processing' | JobEndStatus;
  readonly cancelling: boolean;
  /** 0..100. */
  readonly progress: number;
  readonly error: { readonly step: string | null; readonly code: string; readonly reason: string } | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Submission {
  /** Minted by the caller, so that a request can name its own folder (`work/{jobId}`). */
  readonly jobId: string;
  readonly kind: JobKind;
  readonly subject: string;
  readonly ownerId: string;
  readonly priority: Priority;
  readonly request: unknown;
  /** Cancels the active job of the same slot; this one is accepted at once and starts when that one is really gone. */
  readonly force: boolean;
}

export type Submitted =
  | { readonly kind: 'accepted'; readonly job: JobSummary }
  /** The slot (kind and subject) has an active job, and `force` was not asked for. */
  | { readonly kind: 'conflict'; readonly active: JobSummary }
  /** The owner has too many jobs that wait or run. */
  | { readonly kind: 'quota'; readonly limit: number; readonly active: number };

export interface JobDesk {
  /**
   * In the caller's transaction: one active job for each kind and subject, also among a thousand callers at once. The caller has locked
   * the subject's row; after `force` it reads it anew, since the end of the job before may have changed it.
   */
  submit(tx: Transaction, submission: Submission): Promise<Submitted>;
  /** Asks for the end of a job; a pending one has ended when this returns. */
  cancel(
    tx: Transaction,
    jobId: string,
  ): Promise<{ readonly kind: 'cancelled' | 'cancelling' | 'ended' | 'unknown'; readonly job: JobSummary | undefined }>;
  /** The newest job of a kind and subject, active ones first; undefined: never one. */
  newest(kind: JobKind, subject: string): Promise<JobSummary | undefined>;
  summary(jobId: string): Promise<JobSummary | undefined>;
  /** The whole of a job as REST shows it. */
  progress(jobId: string): Promise<TaskProgressResponse | undefined>;
  /** The same of the newest job of a kind and subject. */
  newestProgress(kind: JobKind, subject: string): Promise<TaskProgressResponse | undefined>;
  /** Jobs of a list, as `progress` shows each; without their attempts. */
  show(jobs: readonly JobRecord[]): Promise<readonly TaskProgressResponse[]>;
  /** The subject was deleted (with its active job cancelled): its jobs are removed soon. */
  forget(tx: Transaction, kind: JobKind, subject: string): Promise<void>;
  /** Resolves once the job has ended, with its status; undefined when `signal` aborted first. */
  ended(jobId: string, signal: AbortSignal): Promise<JobEndStatus | undefined>;
}

/** What the owner of a kind of subject does when its jobs move. All of it runs in the transaction that moved the job. */
export interface JobEffects {
  /**
   * Locks the subject's row. Called before the engine locks the job, so give it where `ended` or `started` change that row: the
   * routes lock the subject first and the job after it, and two who lock in different orders would wait for each other.
   */
  lock?(tx: Transaction, subject: string): Promise<void>;
  /** The first task was leased. */
  started?(tx: Transaction, job: JobSummary): Promise<void>;
  /** A task finished: a place to make something playable early. `done` are all outcomes so far, `finished` included. */
  advanced?(
    tx: Transaction,
    job: JobSummary,
    finished: TaskOutcome,
    done: ReadonlyMap<string, TaskOutcome>,
  ): Promise<void>;
  /**
   * The job has ended, as `job.status` says. After a cancel its successor may be active already: compare `job.jobId` with the job that
   * the subject names as its own. May run inside `submit` (`force`) and `cancel`, in the caller's transaction.
   */
  ended(tx: Transaction, job: JobSummary, done: ReadonlyMap<string, TaskOutcome>): Promise<void>;
}
