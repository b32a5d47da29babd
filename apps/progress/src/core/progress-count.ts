import { jobHasEnded } from '@millrace/job';
import type { EngineDeps } from './engine-deps.ts';
import { jobProgressed } from './job-facts.ts';
import { countJob } from './job-fold.ts';

/**
 * Counts the progress of jobs anew from their tasks, and publishes what changed: many reports, one state and one fact a job. Gives those
 * that somebody else has locked just now: they are to be counted again.
 */
export async function countProgress(deps: EngineDeps, jobIds: readonly string[]): Promise<readonly string[]> {
  return deps.store.transaction(async (tx) => {
    const locked = await tx.jobs.lockFree(jobIds);
    const open = locked.filter((job) => !jobHasEnded(job.status));
    const ids = open.map((job) => job.jobId);
    const [steps, sums] = await Promise.all([tx.jobs.steps(ids), tx.tasks.sums(ids)]);
    const nowMs = deps.clock.nowMs();
    const counted = open
      .map((job) => ({
        before: job,
        ...countJob(
          job,
          steps.filter((step) => step.jobId === job.jobId),
          sums.filter((one) => one.jobId === job.jobId),
          nowMs,
          deps.types.of(job.kind).pipeline.effort,
        ),
      }))
      .filter((one) => one.job !== one.before);
    await tx.jobs.saveSteps(counted.flatMap((one) => one.changed));
    await tx.jobs.save(counted.map((one) => one.job));
    const started = counted.filter((one) => one.job.status === 'processing');
    await tx.publish(started.map((one) => jobProgressed(one.job, one.steps, deps.usualMs(one.job.kind))));
    const there = new Set(locked.map((job) => job.jobId));
    return jobIds.filter((jobId) => !there.has(jobId));
  });
}
