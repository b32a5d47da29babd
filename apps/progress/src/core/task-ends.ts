/** How leases end, by the word of their workers, and what follows: the next tasks, another attempt, the end of the job. */
import type { TaskEnd, TaskFailure } from '@millrace/api';
import type { LeaseStanding } from '@millrace/handover';
import { jobHasEnded, retryVerdict, taskHasEnded } from '@millrace/job';
import { assertNever } from '@millrace/result';
import type { EngineDeps } from './engine-deps.ts';
import { drainJob, endJob, failJob, outcomeOf, outcomesOf } from './job-ending.ts';
import { jobProgressed } from './job-facts.ts';
import { countJob } from './job-fold.ts';
import { type JobRecord, type StepRecord, summaryOf } from './job-record.ts';
import type { Transaction } from './store.ts';
import { lockSubjects } from './subject-locks.ts';
import { tasksToPlant } from './task-planting.ts';
import { refusalOf } from './task-reports.ts';
import type { NewTask, TaskRecord } from './task-rows.ts';
import { sumTasks } from './task-sums.ts';

/** What the worker said makes no sense; to repeat it is of no use. */
export class LeaseMistake extends Error {}

/** Takes the end of a lease. A repeated `done` that was taken is taken again. */
export async function takeEnd(deps: EngineDeps, workerId: string, end: TaskEnd): Promise<LeaseStanding> {
  const known = await deps.store.tasks.find(end.task_id);
  if (known === undefined) return refuse(deps, 'unknown-task');
  if (end.kind === 'done' && end.result.kind !== known.specKind) {
    throw new LeaseMistake(
      `task ${known.taskId}: expected a result of ${known.specKind}, got one of ${end.result.kind}`,
    );
  }
  if (known.fence !== end.fence) return refuse(deps, 'older-fence');
  return deps.store.transaction(async (tx) => {
    await lockSubjects(tx, deps, [known]);
    // sent together, carried out one after the other
    const [locked, task] = await Promise.all([tx.jobs.lock(known.jobId), tx.tasks.lock(known.taskId)]);
    const refusal = refusalOf(task, workerId, end.fence);
    if (locked === undefined || task === undefined || refusal !== undefined) {
      const again = end.kind === 'done' && task?.status === 'done' && task.workerId === workerId;
      return again && task.fence === end.fence ? 'taken' : refuse(deps, refusal ?? 'unknown-task');
    }
    await endLease(tx, deps, locked, task, end);
    return 'taken';
  });
}

function refuse(deps: EngineDeps, reason: Parameters<EngineDeps['counts']['refused']>[0]): LeaseStanding {
  deps.counts.refused(reason);
  return 'lost';
}

/** Ends a lease that is held; job and task are locked. */
async function endLease(
  tx: Transaction,
  deps: EngineDeps,
  job: JobRecord,
  task: TaskRecord,
  end: TaskEnd,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const reason = end.kind === 'failed' ? end.failure.reason : undefined;
  await tx.tasks.endAttempts([{ taskId: task.taskId, fence: task.fence, outcome: end.kind, reason }], nowMs);
  tx.afterCommit(() => deps.counts.attempt(end.kind));
  if (job.cancelling || jobHasEnded(job.status)) {
    await tx.tasks.cancel([task.taskId]);
    await drainJob(tx, deps, job);
    return;
  }
  switch (end.kind) {
    case 'done':
      await tx.tasks.finish(task.taskId, end.result);
      return advanceJob(tx, deps, job, { ...task, status: 'done', result: end.result });
    case 'failed':
      return failLease(tx, deps, job, task, end.failure, { failures: task.failures + 1, lapses: task.lapses });
    case 'stopped':
    case 'returned': {
      await tx.tasks.requeue(task.taskId, nowMs, task);
      tx.afterCommit(() => deps.hints.work());
      return;
    }
    default:
      return assertNever(end);
  }
}

/** A lease ended without a result: another attempt, or the end of the task and, unless it is optional, of the job. */
export async function failLease(
  tx: Transaction,
  deps: EngineDeps,
  job: JobRecord,
  task: TaskRecord,
  failure: TaskFailure,
  counts: { readonly failures: number; readonly lapses: number },
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const verdict = retryVerdict(deps.limits.retry, counts, deps.random());
  if (failure.retryable && verdict.kind === 'again') {
    await tx.tasks.requeue(task.taskId, nowMs + verdict.delayMs, counts);
    tx.afterCommit(() => {
      deps.hints.moved([job.jobId]);
      deps.hints.work();
    });
    return;
  }
  await tx.tasks.finish(task.taskId, undefined);
  if (!task.optional) {
    await failJob(tx, deps, job, { step: task.step, code: failure.code, reason: failure.reason });
    return;
  }
  await skipSteps(tx, await tx.jobs.steps([job.jobId]), [{ step: task.step, reason: failure.reason }], nowMs);
  await advanceJob(tx, deps, job, { ...task, status: 'failed' });
}

/** A task has ended for good: what follows from it is entered, and a job without open tasks is completed. */
async function advanceJob(tx: Transaction, deps: EngineDeps, job: JobRecord, finished: TaskRecord): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const { pipeline, effects } = deps.types.of(job.kind);
  const [tasks, steps] = await Promise.all([tx.tasks.ofJob(job.jobId), tx.jobs.steps([job.jobId])]);
  const outcome = outcomeOf(finished);
  const done = outcomesOf(tasks);
  const advance = pipeline.advance(job.request, outcome, done);
  const planted = tasksToPlant(deps, job, steps, advance.tasks, tasks);
  await tx.tasks.insert(planted, nowMs);
  const skipped = await skipSteps(tx, steps, advance.skipped, nowMs);
  if (planted.length === 0 && tasks.every((task) => taskHasEnded(task.status))) {
    await effects.advanced?.(tx, summaryOf(job), outcome, done);
    await endJob(tx, deps, job, { status: 'completed', draining: false }, { steps: skipped, tasks });
    return;
  }
  const counted = countJob(job, skipped, sumTasks([...tasks, ...planted.map(asPlanted)]), nowMs, pipeline.effort);
  await Promise.all([tx.jobs.saveSteps(counted.changed), tx.jobs.save([counted.job])]);
  await tx.publish([jobProgressed(counted.job, counted.steps, deps.usualMs(job.kind))]);
  await effects.advanced?.(tx, summaryOf(counted.job), outcome, done);
  tx.afterCommit(() => deps.hints.work());
}

/** A task that was entered just now, as it is stored. */
function asPlanted(task: NewTask) {
  const status = task.waitingFor === 0 ? ('ready' as const) : ('waiting' as const);
  return { ...task, status, fence: 0, done: 0, phase: undefined, runAtMs: 0 };
}

/** Steps that have nothing to do; gives all steps as they are then. */
async function skipSteps(
  tx: Transaction,
  steps: readonly StepRecord[],
  skipped: readonly { readonly step: string; readonly reason: string }[],
  nowMs: number,
): Promise<readonly StepRecord[]> {
  if (skipped.length === 0) return steps;
  const next = steps.map((step): StepRecord => {
    const why = skipped.find((one) => one.step === step.name);
    if (why === undefined || step.status === 'skipped') return step;
    return { ...step, status: 'skipped', reason: why.reason, finishedAtMs: nowMs };
  });
  await tx.jobs.saveSteps(next.filter((step, at) => step !== steps[at]));
  return next;
}
