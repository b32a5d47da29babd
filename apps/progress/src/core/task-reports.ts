/** What workers say while they work: it prolongs their leases and moves progress. No job's row is touched here. */
import type { TaskReport } from '@millrace/api';
import type { LeaseStanding } from '@millrace/handover';
import type { EngineDeps } from './engine-deps.ts';
import type { Renewal, TaskRecord } from './task-rows.ts';

/** Takes reports; answers in their order. */
export async function takeReports(
  deps: EngineDeps,
  workerId: string,
  reports: readonly TaskReport[],
): Promise<readonly LeaseStanding[]> {
  if (reports.length === 0) return [];
  const nowMs = deps.clock.nowMs();
  const { leaseMs } = deps.limits;
  const renewed = await deps.store.tasks.renew(workerId, merge(reports), {
    leasedUntilMs: nowMs + leaseMs,
    // who was told to stop and goes on reporting is not believed for ever: the slot has to become free
    stoppedBeforeMs: nowMs - leaseMs,
  });
  const moved = [...new Set(renewed.filter((one) => one.moved).map((one) => one.jobId))];
  if (moved.length > 0) deps.hints.moved(moved);
  const held = new Set(renewed.map((one) => nameOf(one.taskId, one.fence)));
  const standings = reports.map((one): LeaseStanding => (held.has(nameOf(one.task_id, one.fence)) ? 'taken' : 'lost'));
  for (const [at, report] of reports.entries()) {
    if (standings[at] === 'lost') await countRefused(deps, workerId, report);
  }
  return standings;
}

/** One renewal a lease: the furthest that was said of it, and the newest words. */
function merge(reports: readonly TaskReport[]): readonly Renewal[] {
  const merged = new Map<string, Renewal>();
  for (const { task_id: taskId, fence, done, phase } of reports) {
    const before = merged.get(nameOf(taskId, fence));
    const furthest = done === undefined ? before?.done : Math.max(done, before?.done ?? 0);
    merged.set(nameOf(taskId, fence), { taskId, fence, done: furthest, phase: phase ?? before?.phase });
  }
  return [...merged.values()];
}

const nameOf = (taskId: string, fence: number) => `${taskId} ${fence}`;

async function countRefused(deps: EngineDeps, workerId: string, report: TaskReport): Promise<void> {
  const task = await deps.store.tasks.get(report.task_id);
  deps.counts.refused(refusalOf(task, workerId, report.fence) ?? 'stop-overdue');
}

export type Refusal = 'unknown-task' | 'older-fence' | 'other-worker' | 'not-leased';

/** Why a lease is not the worker's; undefined: it is. */
export function refusalOf(task: TaskRecord | undefined, workerId: string, fence: number): Refusal | undefined {
  if (task === undefined) return 'unknown-task';
  if (task.fence !== fence) return 'older-fence';
  if (task.workerId !== workerId) return 'other-worker';
  return task.status === 'leased' ? undefined : 'not-leased';
}
