/** How a job gets into its slot: refused, accepted, or in place of the one that is there. */
import { jobHasEnded } from '@millrace/job';
import type { EngineDeps } from './engine-deps.ts';
import type { Submission, Submitted } from './job-desk.ts';
import { cancelJob } from './job-ending.ts';
import { jobQueued } from './job-facts.ts';
import { phaseOf } from './job-fold.ts';
import { type JobRecord, summaryOf } from './job-record.ts';
import type { JobPlan } from './pipeline.ts';
import type { Transaction } from './store.ts';
import { checkPlan, plantTasks } from './task-planting.ts';

/** So close to its quota an owner's submissions are counted one after the other; before, a few may pass unseen. */
const quotaMargin = 64;
/** Rounds in which somebody else was quicker, each time. */
const mostRounds = 20;

/** Submits in the caller's transaction, see `JobDesk.submit`. */
export async function submitJob(tx: Transaction, deps: EngineDeps, submission: Submission): Promise<Submitted> {
  const { kind, subject } = submission;
  const plan = deps.types.of(kind).pipeline.plan(submission.request);
  checkPlan(submission, plan);
  for (let round = 0; round < mostRounds; round++) {
    const submitted = await tryOnce(tx, deps, submission, plan);
    if (submitted === undefined) continue;
    tx.afterCommit(() => deps.counts.submitted(kind, submitted.kind));
    return submitted;
  }
  throw new Error(
    `slot ${kind} ${subject}: expected to find it free or taken, it was neither for ${mostRounds} rounds`,
  );
}

async function tryOnce(
  tx: Transaction,
  deps: EngineDeps,
  submission: Submission,
  plan: JobPlan,
): Promise<Submitted | undefined> {
  const { kind, subject, ownerId, force } = submission;
  const active = await tx.jobs.active(kind, subject);
  if (active !== undefined && !force) return { kind: 'conflict', active: summaryOf(active) };
  if (active === undefined) {
    const open = await tx.jobs.countOpen(ownerId);
    if (open >= deps.limits.maxOpen) return { kind: 'quota', limit: deps.limits.maxOpen, active: open };
  }
  let blocked = false;
  for (const job of await tx.jobs.lockSlot(kind, subject)) {
    if (!force && !jobHasEnded(job.status) && !job.cancelling) return { kind: 'conflict', active: summaryOf(job) };
    const left = job.draining || jobHasEnded(job.status) ? job : await cancelJob(tx, deps, job);
    blocked ||= left.draining;
    if (left !== job) tx.afterCommit(() => deps.counts.submitted(kind, 'replaced'));
  }
  const job: JobRecord = {
    ...submission,
    ...{ status: 'pending', cancelling: false, draining: false, blocked, progress: 0 },
    ...{ phase: undefined, pace: undefined, error: undefined, startedAtMs: undefined, finishedAtMs: undefined },
    createdAtMs: deps.clock.nowMs(),
    updatedAtMs: deps.clock.nowMs(),
  };
  if (!(await tx.jobs.insert(job, plan.steps))) return undefined;
  if (active === undefined && (await overQuota(tx, deps, ownerId))) {
    await tx.jobs.withdraw(job.jobId);
    return { kind: 'quota', limit: deps.limits.maxOpen, active: deps.limits.maxOpen };
  }
  await plantTasks(tx, deps, job, plan.steps, plan.tasks, []);
  const queued = { ...job, phase: phaseOf(job, [], [], job.createdAtMs) };
  await tx.jobs.save([queued]);
  await tx.publish([jobQueued(queued)]);
  tx.afterCommit(() => deps.hints.work());
  return { kind: 'accepted', job: summaryOf(queued) };
}

/** Counts exactly, this job included, when the owner is near the quota. */
async function overQuota(tx: Transaction, deps: EngineDeps, ownerId: string): Promise<boolean> {
  const { maxOpen } = deps.limits;
  if ((await tx.jobs.countOpen(ownerId)) + quotaMargin < maxOpen) return false;
  await tx.jobs.takeTurn([ownerId]);
  return (await tx.jobs.countOpen(ownerId)) > maxOpen;
}
