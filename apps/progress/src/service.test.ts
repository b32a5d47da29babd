import { expect, it } from 'vitest';
import { aSubmission, doneWith, plannedJobs, submit } from './testing/planned-jobs.ts';
import { openTestProgress } from './testing.ts';

it('a job goes from submitted over leased to completed, and its facts tell it', async () => {
  const jobs = plannedJobs();
  await using progress = await openTestProgress({ jobTypes: jobs.types });
  const { desk, leases } = progress.service;
  const { jobId } = await submit(progress, aSubmission());
  const worker = { worker_id: 'w1', slots: 4, kinds: ['probe', 'publish'] as const, wait_ms: 5_000 };
  for (let round = 0; round < 2; round++) {
    const leased = await leases.lease({ ...worker, kinds: [...worker.kinds] }, new AbortController().signal);
    if (!leased.ok) throw new Error(leased.error.message);
    for (const task of leased.value) {
      expect(await leases.end('w1', doneWith(task))).toEqual({ ok: true, value: 'taken' });
    }
  }
  expect(await desk.ended(jobId, new AbortController().signal)).toBe('completed');
  expect(await desk.progress(jobId)).toMatchObject({ status: 'completed', progress: 100, error: null, phase: null });
  const facts = await progress.facts(jobId);
  expect(facts[0]?.type).toBe('JobQueued');
  expect(facts[1]?.type).toBe('JobStarted');
  expect(facts.at(-1)?.type).toBe('JobCompleted');
});
