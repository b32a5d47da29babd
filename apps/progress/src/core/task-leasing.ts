/**
 * How workers get tasks. Tasks of running jobs are leased in one statement. The first task of a job also starts it: in a transaction of
 * its own, in which the job, its subject and its owner's turn are locked in their order, and the owner's limit is kept.
 */
import type { LeasedTask, LeaseRequest } from '@millrace/api';
import { moveJob } from '@millrace/job';
import { expectOk } from '@millrace/result';
import type { EngineDeps } from './engine-deps.ts';
import { jobStarted } from './job-facts.ts';
import { type JobRecord, summaryOf } from './job-record.ts';
import type { Transaction } from './store.ts';
import { lockSubjects } from './subject-locks.ts';
import type { Lease, LeaseWish, StartCandidate } from './task-rows.ts';

/** So close to its limit an owner's jobs are started one after the other; before, a few at once. */
const turnMargin = 8;
/** Rounds in which others were quicker. */
const mostRounds = 4;

/** Leases up to `slots` tasks now; none when there is nothing to do. */
export async function leaseTasks(
  deps: EngineDeps,
  request: Pick<LeaseRequest, 'worker_id' | 'slots' | 'kinds'>,
): Promise<readonly LeasedTask[]> {
  const leases: Lease[] = [];
  for (let round = 0; round < mostRounds && leases.length < request.slots; round++) {
    const nowMs = deps.clock.nowMs();
    const wish: LeaseWish = {
      workerId: request.worker_id,
      kinds: request.kinds,
      slots: request.slots - leases.length,
      nowMs,
      leasedUntilMs: nowMs + deps.limits.leaseMs,
    };
    const found = await deps.store.tasks.lease(wish, deps.limits.maxProcessing);
    const started = found.candidates.length === 0 ? [] : await startJobs(deps, wish, found.candidates);
    leases.push(...found.leases, ...started);
    if (found.leases.length + found.candidates.length < wish.slots) break;
  }
  if (leases.length === 0) return [];
  deps.hints.moved([...new Set(leases.map((lease) => lease.jobId))]);
  const inputs = await deps.store.tasks.inputs(leases.map((lease) => lease.taskId));
  return leases.map((lease) => ({
    task_id: lease.taskId,
    job_id: lease.jobId,
    fence: lease.fence,
    spec: lease.spec,
    inputs: [...(inputs.get(lease.taskId) ?? [])],
  }));
}

/** Starts the jobs of these tasks, as far as nobody else does and their owners may, and leases the tasks. */
async function startJobs(
  deps: EngineDeps,
  wish: LeaseWish,
  candidates: readonly StartCandidate[],
): Promise<readonly Lease[]> {
  const known = await deps.store.jobs.getMany(candidates.map((one) => one.jobId));
  return deps.store.transaction(async (tx) => {
    await lockSubjects(tx, deps, known);
    const locked = await tx.jobs.lockFree(known.map((job) => job.jobId));
    const waiting = locked.filter((job) => job.status === 'pending' && !job.blocked);
    const allowed = await withinLimits(tx, deps, inQueueOrder(waiting, candidates));
    const started = allowed.map((job): JobRecord => {
      const status = expectOk(moveJob(job.status, 'start'), `job ${job.jobId}`);
      const atMs = Math.max(wish.nowMs, job.createdAtMs);
      return { ...job, status, startedAtMs: atMs, updatedAtMs: Math.max(atMs, job.updatedAtMs) };
    });
    if (started.length === 0) return [];
    await tx.jobs.save(started);
    await tx.tasks.started(started.map((job) => job.jobId));
    await tx.publish(started.map(jobStarted));
    for (const job of started) await deps.types.of(job.kind).effects.started?.(tx, summaryOf(job));
    const ids = new Set(started.map((job) => job.jobId));
    const tasks = candidates.filter((one) => ids.has(one.jobId)).map((one) => one.taskId);
    return tx.tasks.leaseThese(wish, tasks);
  });
}

/** Those of `jobs` that their owners may run beside what they run already. */
async function withinLimits(tx: Transaction, deps: EngineDeps, jobs: readonly JobRecord[]): Promise<JobRecord[]> {
  const { maxProcessing } = deps.limits;
  const allowed: JobRecord[] = [];
  for (const ownerId of [...new Set(jobs.map((job) => job.ownerId))].sort()) {
    const own = jobs.filter((job) => job.ownerId === ownerId);
    let running = await tx.jobs.countProcessing(ownerId);
    if (running + own.length + turnMargin > maxProcessing) {
      await tx.jobs.takeTurn([ownerId]);
      running = await tx.jobs.countProcessing(ownerId);
    }
    allowed.push(...own.slice(0, Math.max(0, maxProcessing - running)));
  }
  return allowed;
}

function inQueueOrder(jobs: readonly JobRecord[], candidates: readonly StartCandidate[]): JobRecord[] {
  const place = (job: JobRecord) => candidates.findIndex((one) => one.jobId === job.jobId);
  return [...jobs].sort((a, b) => place(a) - place(b));
}
