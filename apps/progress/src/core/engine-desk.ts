import { jobHasEnded } from '@millrace/job';
import type { EngineDeps } from './engine-deps.ts';
import type { JobDesk } from './job-desk.ts';
import { cancelJob } from './job-ending.ts';
import { type JobRecord, summaryOf } from './job-record.ts';
import { submitJob } from './job-submission.ts';
import { showJob } from './job-view.ts';
import { lockSubjects } from './subject-locks.ts';

const shownAttempts = 50;

/** The desk without its waiting part. */
export function createEngineDesk(deps: EngineDeps): Omit<JobDesk, 'ended'> {
  const { store } = deps;

  async function show(job: JobRecord | undefined) {
    if (job === undefined) return undefined;
    const [steps, attempts] = await Promise.all([
      store.jobs.steps([job.jobId]),
      store.tasks.attempts(job.jobId, shownAttempts),
    ]);
    return showJob(job, steps, attempts, deps.usualMs(job.kind), deps.clock.nowMs());
  }

  return {
    submit: (tx, submission) => submitJob(tx, deps, submission),
    async cancel(tx, jobId) {
      const known = await tx.jobs.get(jobId);
      if (known !== undefined) await lockSubjects(tx, deps, [known]);
      const job = known && (await tx.jobs.lock(jobId));
      if (job === undefined) return { kind: 'unknown', job: undefined };
      if (jobHasEnded(job.status)) return { kind: 'ended', job: summaryOf(job) };
      const after = await cancelJob(tx, deps, job);
      return { kind: after.cancelling ? 'cancelling' : 'cancelled', job: summaryOf(after) };
    },
    async newest(kind, subject) {
      const job = await store.jobs.newest(kind, subject);
      return job && summaryOf(job);
    },
    async summary(jobId) {
      const job = await store.jobs.get(jobId);
      return job && summaryOf(job);
    },
    progress: async (jobId) => show(await store.jobs.get(jobId)),
    newestProgress: async (kind, subject) => show(await store.jobs.newest(kind, subject)),
    async show(jobs) {
      const steps = await store.jobs.steps(jobs.map((job) => job.jobId));
      const nowMs = deps.clock.nowMs();
      return jobs.map((job) => {
        const own = steps.filter((step) => step.jobId === job.jobId);
        return showJob(job, own, [], deps.usualMs(job.kind), nowMs);
      });
    },
    forget: (tx, kind, subject) => tx.jobs.forget(kind, subject),
  };
}
