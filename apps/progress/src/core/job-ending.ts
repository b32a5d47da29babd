/**
 * How jobs come to their ends. Everything here has the job's lock, and ends in the same transaction what hangs on the job: its open
 * tasks, its steps, its subject's state, its facts, and its successor's wait.
 */

import { type JobSignal, jobHasEnded, moveJob } from '@millrace/job';
import { expectOk } from '@millrace/result';
import type { EngineDeps } from './engine-deps.ts';
import type { JobEndStatus } from './job-desk.ts';
import { jobEnded, jobProgressed } from './job-facts.ts';
import { countJob, endSteps } from './job-fold.ts';
import { type JobError, type JobRecord, type StepRecord, summaryOf } from './job-record.ts';
import type { TaskOutcome } from './pipeline.ts';
import type { Transaction } from './store.ts';
import type { TaskRecord } from './task-rows.ts';
import { sumTasks } from './task-sums.ts';

const signals: Readonly<Record<JobEndStatus, JobSignal>> = {
  completed: 'complete',
  failed: 'fail',
  cancelled: 'cancel',
};

/** The end of a job whose lock is held, as `status`. `draining`: leases of it live yet. `known`: as they are stored now. */
export async function endJob(
  tx: Transaction,
  deps: EngineDeps,
  job: JobRecord,
  end: { readonly status: JobEndStatus; readonly error?: JobError; readonly draining: boolean },
  known?: { readonly steps: readonly StepRecord[]; readonly tasks: readonly TaskRecord[] },
): Promise<JobRecord> {
  const nowMs = deps.clock.nowMs();
  const { effects, pipeline } = deps.types.of(job.kind);
  const [steps, tasks] =
    known === undefined
      ? await Promise.all([tx.jobs.steps([job.jobId]), tx.tasks.ofJob(job.jobId)])
      : [known.steps, known.tasks];
  const counted = countJob(job, steps, sumTasks(tasks), nowMs, pipeline.effort);
  const ended: JobRecord = {
    ...counted.job,
    status: expectOk(moveJob(job.status, signals[end.status]), `job ${job.jobId}`),
    ...{ cancelling: false, draining: end.draining, blocked: false, phase: undefined, error: end.error },
    progress: end.status === 'completed' ? 100 : counted.job.progress,
    updatedAtMs: Math.max(nowMs, job.updatedAtMs),
    finishedAtMs: Math.max(nowMs, job.createdAtMs),
  };
  const lastSteps = endSteps(counted.steps, end.status, end.error, nowMs);
  await Promise.all([
    tx.jobs.saveSteps(lastSteps),
    tx.jobs.save([ended]),
    tx.cleanups.add([{ prefix: `work/${job.jobId}/` }], nowMs),
  ]);
  // whoever follows the facts sees the steps as they ended; a job that never started has nothing to show
  const last =
    job.startedAtMs === undefined ? [] : [jobProgressed({ ...ended, phase: end.status }, lastSteps, undefined)];
  await tx.publish([...last, jobEnded(ended)]);
  await effects.ended(tx, summaryOf(ended), outcomesOf(tasks));
  // somebody waits in the slot only where leases had to end first
  if (job.draining && !end.draining) await unblockNext(tx, deps, ended);
  tx.afterCommit(() => {
    deps.counts.ended(job.kind, end.status);
    deps.hints.ended(job.jobId, end.status);
    deps.hints.work(); // its owner may start another one
  });
  return ended;
}

/** Ends what can be ended of a job's tasks; workers that hold one are told to stop. Gives how many leases live yet. */
async function stopTasks(tx: Transaction, deps: EngineDeps, jobId: string): Promise<number> {
  const open = await tx.tasks.lockOpen(jobId);
  const leased = open.filter((task) => task.status === 'leased').map((task) => task.taskId);
  await tx.tasks.cancel(open.filter((task) => task.status !== 'leased').map((task) => task.taskId));
  const stops = await tx.tasks.order(leased, deps.clock.nowMs());
  if (stops.length > 0) tx.afterCommit(() => deps.hints.stop(stops));
  return stops.length;
}

/** Cancels a job whose lock is held and that has not ended: at once, or when its last lease has ended. */
export async function cancelJob(tx: Transaction, deps: EngineDeps, job: JobRecord): Promise<JobRecord> {
  if (job.cancelling) return job;
  const leases = await stopTasks(tx, deps, job.jobId);
  if (leases === 0) return endJob(tx, deps, job, { status: 'cancelled', draining: false });
  const nowMs = deps.clock.nowMs();
  const cancelling: JobRecord = { ...job, cancelling: true, draining: true, phase: 'stopping', updatedAtMs: nowMs };
  await tx.jobs.save([cancelling]);
  await tx.publish([jobProgressed(cancelling, await tx.jobs.steps([job.jobId]), undefined)]);
  return cancelling;
}

/** Fails a job whose lock is held and that has not ended. Its slot is free at once, but nothing starts there while leases live. */
export async function failJob(tx: Transaction, deps: EngineDeps, job: JobRecord, error: JobError): Promise<JobRecord> {
  const leases = await stopTasks(tx, deps, job.jobId);
  return endJob(tx, deps, job, { status: 'failed', error, draining: leases > 0 });
}

/** A lease of a draining job is gone; with the last one the job is. */
export async function drainJob(tx: Transaction, deps: EngineDeps, job: JobRecord): Promise<void> {
  const open = await tx.tasks.lockOpen(job.jobId);
  if (open.some((task) => task.status === 'leased')) return;
  if (!jobHasEnded(job.status)) {
    await endJob(tx, deps, job, { status: 'cancelled', draining: false });
    return;
  }
  await tx.jobs.save([{ ...job, draining: false }]);
  await unblockNext(tx, deps, job);
}

/** The job that waits for this one in its slot may start. */
async function unblockNext(tx: Transaction, deps: EngineDeps, gone: JobRecord): Promise<void> {
  const slot = await tx.jobs.lockSlot(gone.kind, gone.subject);
  if (slot.some((job) => job.draining)) return;
  const waiting = slot.filter((job) => job.blocked);
  for (const job of waiting) {
    await tx.jobs.save([{ ...job, blocked: false, phase: undefined }]);
    await tx.tasks.releaseJob(job.jobId);
  }
  if (waiting.length > 0) tx.afterCommit(() => deps.hints.work());
}

/** What has become of the tasks that ended by themselves, by key. */
export function outcomesOf(tasks: readonly TaskRecord[]): ReadonlyMap<string, TaskOutcome> {
  const ended = tasks.filter((task) => task.status === 'done' || task.status === 'failed');
  return new Map(ended.map((task) => [task.key, outcomeOf(task)]));
}

export function outcomeOf(task: TaskRecord): TaskOutcome {
  return { key: task.key, spec: task.spec, result: task.status === 'done' ? task.result : undefined };
}
