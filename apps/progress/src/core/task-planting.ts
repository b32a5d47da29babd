/** Makes tasks of a plan, or of what follows from a result, and checks that they make sense: a plan that does not is a bug. */
import { newId } from '@millrace/ids';
import { checkWeights, type TaskState } from '@millrace/job';
import type { EngineDeps } from './engine-deps.ts';
import type { JobIdentity, JobRecord, StepRecord } from './job-record.ts';
import type { JobPlan, PlannedTask } from './pipeline.ts';
import type { NewTask } from './task-rows.ts';

/** A task that the job knows already. */
export interface KnownTask {
  readonly key: string;
  readonly taskId: string;
  readonly status: TaskState;
}

/** Throws when the steps of a plan are not as they must be. */
export function checkPlan(job: Pick<JobIdentity, 'jobId' | 'kind'>, plan: JobPlan): void {
  const weights = checkWeights(plan.steps);
  if (!weights.ok) throw new Error(`plan of ${job.kind} ${job.jobId}: ${weights.error.message}`);
  if (plan.tasks.length === 0) throw new Error(`plan of ${job.kind} ${job.jobId}: expected at least one task`);
}

/** Those of `planned` that the job does not know, as they are to be entered. */
export function tasksToPlant(
  deps: Pick<EngineDeps, 'idSource'>,
  job: Pick<JobRecord, 'jobId' | 'kind' | 'priority' | 'ownerId' | 'status' | 'blocked'>,
  steps: readonly Pick<StepRecord, 'name'>[],
  planned: readonly PlannedTask[],
  known: readonly KnownTask[],
): readonly NewTask[] {
  const knownByKey = new Map(known.map((task) => [task.key, task]));
  const fresh = planned.filter((task) => !knownByKey.has(task.key));
  if (fresh.length === 0) return [];
  const what = `tasks of ${job.kind} ${job.jobId}`;
  const names = new Set(steps.map((step) => step.name));
  const ids = new Map<string, string>([...knownByKey].map(([key, task]) => [key, task.taskId]));
  for (const task of fresh) {
    if (ids.has(task.key)) throw new Error(`${what}: ${task.key} is planned twice`);
    if (!names.has(task.step)) throw new Error(`${what}: ${task.key} names step ${task.step}, which is not there`);
    if (!Number.isFinite(task.share) || task.share < 0) throw new Error(`${what}: ${task.key} has share ${task.share}`);
    ids.set(task.key, newId('tsk', deps.idSource));
  }
  checkNoCircle(what, fresh);
  const hasEnded = (key: string) => {
    const status = knownByKey.get(key)?.status;
    return status === 'done' || status === 'failed';
  };
  return fresh.map((task): NewTask => {
    const after = [...new Set(task.after)];
    return {
      taskId: idOf(ids, task.key, what),
      jobId: job.jobId,
      key: task.key,
      step: task.step,
      spec: task.spec,
      share: task.share,
      optional: task.optional ?? false,
      rank: task.rank ?? 0,
      priority: job.priority,
      ownerId: job.ownerId,
      starting: job.status === 'pending',
      after: after.map((key) => idOf(ids, key, what)),
      waitingFor: after.filter((key) => !hasEnded(key)).length + (job.blocked ? 1 : 0),
    };
  });
}

function idOf(ids: ReadonlyMap<string, string>, key: string, what: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`${what}: something waits for ${key}, which is not there`);
  return id;
}

/** Tasks that wait for each other would wait for ever. */
function checkNoCircle(what: string, tasks: readonly PlannedTask[]): void {
  let left = tasks;
  for (;;) {
    const keys = new Set(left.map((task) => task.key));
    const next = left.filter((task) => task.after.some((key) => keys.has(key)));
    if (next.length === 0) return;
    if (next.length === left.length) {
      throw new Error(`${what}: ${next.map((task) => task.key).join(', ')} wait for each other`);
    }
    left = next;
  }
}
