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
import { checkPlan, tasksToPlant } from './task-planting.ts';

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
  const { maxOpen } = deps.limits;
  // nearly always the slot is empty and the quota far: then this is all
  const free = enteredWith(deps, submission, plan, false);
  if (await tx.jobs.insert(free.job, plan.steps, free.tasks, maxOpen - quotaMargin))
    return accepted(tx, deps, free.job);

  const { slot, open } = await tx.jobs.look(kind, subject, ownerId);
  const active = slot.find(fillsSlot);
  if (active !== undefined && !force) return { kind: 'conflict', active: summaryOf(active) };
  if (active === undefined && open >= maxOpen) return { kind: 'quota', limit: maxOpen, active: open };
  // whoever waits for a lock, or counts to the last one, does so alone
  if (slot.length > 0 || open + quotaMargin >= maxOpen) tx.needsOwn();
  // who forces its way in goes after the one before: with many at once, the last would otherwise lose every race until the rounds are over
  if (force && slot.length > 0) await tx.jobs.takeSlotTurn(kind, subject);
  let blocked = false;
  // what is empty cannot be locked: whoever enters a job here meanwhile is met by the insert
  for (const job of slot.length === 0 ? [] : await tx.jobs.lockSlot(kind, subject)) {
    if (!force && fillsSlot(job)) return { kind: 'conflict', active: summaryOf(job) };
    const left = fillsSlot(job) ? await cancelJob(tx, deps, job) : job;
    blocked ||= left.draining;
    if (left !== job) tx.afterCommit(() => deps.counts.submitted(kind, 'replaced'));
  }
  const { job, tasks } = enteredWith(deps, submission, plan, blocked);
  if (!(await tx.jobs.insert(job, plan.steps, tasks))) return undefined;
  if (active === undefined && open + quotaMargin >= maxOpen && (await overQuota(tx, deps, ownerId))) {
    await tx.jobs.withdraw(job.jobId);
    return { kind: 'quota', limit: maxOpen, active: maxOpen };
  }
  return accepted(tx, deps, job);
}

/** The job as it enters its slot, and its first tasks. */
function enteredWith(deps: EngineDeps, submission: Submission, plan: JobPlan, blocked: boolean) {
  const nowMs = deps.clock.nowMs();
  const job: JobRecord = {
    ...submission,
    ...{ status: 'pending', cancelling: false, draining: false, blocked, progress: 0 },
    ...{ phase: undefined, pace: undefined, error: undefined, startedAtMs: undefined, finishedAtMs: undefined },
    ...{ createdAtMs: nowMs, updatedAtMs: nowMs },
  };
  const queued = { ...job, phase: phaseOf(job, [], [], nowMs) };
  return { job: queued, tasks: tasksToPlant(deps, queued, plan.steps, plan.tasks, []) };
}

async function accepted(tx: Transaction, deps: EngineDeps, job: JobRecord): Promise<Submitted> {
  await tx.publish([jobQueued(job)]);
  tx.afterCommit(() => deps.hints.work());
  return { kind: 'accepted', job: summaryOf(job) };
}

/** Pending or processing, and not on its way out. */
function fillsSlot(job: JobRecord): boolean {
  return !jobHasEnded(job.status) && !job.cancelling;
}

/** Counts exactly, this job included. */
async function overQuota(tx: Transaction, deps: EngineDeps, ownerId: string): Promise<boolean> {
  await tx.jobs.takeTurn([ownerId]);
  return (await tx.jobs.countOpen(ownerId)) > deps.limits.maxOpen;
}
