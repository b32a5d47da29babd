/** The queue alone: jobs of one task that does nothing, on real PostgreSQL, by workers in the same process. */
import type { LeasedTask } from '@millrace/api';
import { newId } from '@millrace/ids';
import { aTask, plannedJobs } from '../../../apps/progress/src/testing/planned-jobs.ts';
import { openTestProgress } from '../../../apps/progress/src/testing.ts';

export interface QueueResult {
  readonly jobs: number;
  readonly submittedPerS: number;
  readonly donePerS: number;
  /** CPU of this process, cores; PostgreSQL comes on top. */
  readonly cores: number;
}

const kinds = ['probe' as const];
const workers = 4;
const slots = 16;

export async function measureQueue(jobs: number): Promise<QueueResult> {
  const { types } = plannedJobs();
  await using progress = await openTestProgress({
    jobTypes: types,
    settings: { PROGRESS_MAX_QUEUED_JOBS: 1_000_000, PROGRESS_MAX_ACTIVE_JOBS: 100_000 },
  });
  const { desk, store, leases } = progress.service;
  const ownerId = newId('own');
  const submit = (n: number) =>
    store.transaction((tx) =>
      desk.submit(tx, {
        ...{ jobId: newId('job'), kind: 'process', subject: `vid_${n}`, ownerId, priority: 'normal', force: false },
        request: { steps: [{ name: 'work', weight: 100, phase: 'doing nothing' }], tasks: [aTask('probe')] },
      }),
    );
  const submitAt = performance.now();
  for (let n = 0; n < jobs; n += 50) {
    await Promise.all(Array.from({ length: Math.min(50, jobs - n) }, (_, i) => submit(n + i)));
  }
  const submitS = (performance.now() - submitAt) / 1_000;

  let done = 0;
  const stop = new AbortController();
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const work = async (workerId: string) => {
    while (done < jobs) {
      const leased = await leases.lease({ worker_id: workerId, slots, kinds, wait_ms: 200 }, stop.signal);
      if (!leased.ok) throw new Error(leased.error.message);
      await Promise.all(leased.value.map((task) => finish(workerId, task)));
    }
  };
  const finish = async (workerId: string, { task_id, fence }: LeasedTask) => {
    const media = { container: 'x', duration_ms: 1, size_bytes: 1, video: null, audio: null };
    const result = { kind: 'probe' as const, media, keyframes_ms: [] };
    const ended = await leases.end(workerId, { kind: 'done', task_id, fence, result });
    if (!ended.ok || ended.value !== 'taken') throw new Error(JSON.stringify(ended));
    done++;
  };
  await Promise.all(Array.from({ length: workers }, (_, i) => work(`worker-${i}`)));
  stop.abort();
  const elapsedMs = performance.now() - startedAt;
  const used = process.cpuUsage(before);
  return {
    jobs,
    submittedPerS: jobs / submitS,
    donePerS: (jobs * 1_000) / elapsedMs,
    cores: (used.user + used.system) / 1_000 / elapsedMs,
  };
}
