import type { EngineDeps } from './engine-deps.ts';
import type { JobRecord } from './job-record.ts';
import type { Transaction } from './store.ts';

/** Locks the subjects of jobs, in one order, where their owners ask for it. Comes before the locks of the jobs. */
export async function lockSubjects(
  tx: Transaction,
  deps: Pick<EngineDeps, 'types'>,
  jobs: readonly Pick<JobRecord, 'kind' | 'subject'>[],
): Promise<void> {
  const name = (job: Pick<JobRecord, 'kind' | 'subject'>) => `${job.kind} ${job.subject}`;
  const sorted = [...new Map(jobs.map((job) => [name(job), job])).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, job] of sorted) await deps.types.of(job.kind).effects.lock?.(tx, job.subject);
}
