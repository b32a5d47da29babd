/** Leases whose workers fell silent: their tasks go to others, with a higher fence, so that what the silent ones still say is refused. */
import { jobHasEnded } from '@millrace/job';
import type { EngineDeps } from './engine-deps.ts';
import { drainJob } from './job-ending.ts';
import { lockSubjects } from './subject-locks.ts';
import { failLease } from './task-ends.ts';

/** Leases that are looked at in one round; what is more waits for the next. */
const bite = 500;

/** Ends what has lapsed by now; gives how many. */
export async function endLapsedLeases(deps: EngineDeps): Promise<number> {
  return endLeases(deps, 0, `was silent for ${deps.limits.leaseMs / 1_000} s`);
}

/** Ends every lease there is: of workers that ended with the process before this one. Nobody may have leased anything yet. */
export async function endLeasesOfTheDead(deps: EngineDeps): Promise<void> {
  while ((await endLeases(deps, deps.limits.leaseMs + 1, 'ended with the server')) === bite);
}

/** Ends what will have lapsed in `aheadMs`; gives how many. */
async function endLeases(deps: EngineDeps, aheadMs: number, why: string): Promise<number> {
  const lapsed = await deps.store.tasks.lapsed(deps.clock.nowMs() + aheadMs, bite);
  let ended = 0;
  for (const jobId of new Set(lapsed.map((one) => one.jobId))) {
    const tasks = lapsed.filter((one) => one.jobId === jobId).map((one) => one.taskId);
    ended += await endLeasesOf(deps, jobId, tasks, aheadMs, why);
  }
  return ended;
}

async function endLeasesOf(
  deps: EngineDeps,
  jobId: string,
  taskIds: readonly string[],
  aheadMs: number,
  why: string,
): Promise<number> {
  const known = await deps.store.jobs.get(jobId);
  if (known === undefined) return 0;
  return deps.store.transaction(async (tx) => {
    await lockSubjects(tx, deps, [known]);
    let ended = 0;
    for (const taskId of taskIds) {
      const job = await tx.jobs.lock(jobId); // each of them may have ended it
      const task = await tx.tasks.lock(taskId);
      const nowMs = deps.clock.nowMs();
      // it was renewed, or ended, since it was looked up
      if (job === undefined || task?.status !== 'leased' || (task.leasedUntilMs ?? 0) >= nowMs + aheadMs) continue;
      const reason = `worker ${task.workerId ?? ''} ${why}`;
      await tx.tasks.endAttempts([{ taskId, fence: task.fence, outcome: 'lapsed', reason }], nowMs);
      tx.afterCommit(() => deps.counts.attempt('lapsed'));
      ended++;
      if (job.cancelling || jobHasEnded(job.status)) {
        await tx.tasks.cancel([taskId]);
        await drainJob(tx, deps, job);
        continue;
      }
      const lapses = task.lapses + 1;
      const failure = {
        code: 'workers-lost',
        reason: `${lapses} workers in a row that did this part fell silent; the last one: ${reason}`,
        retryable: true,
      };
      await failLease(tx, deps, job, task, failure, { failures: task.failures, lapses });
    }
    return ended;
  });
}
