import { ManualClock } from '@millrace/clock/testing';
import { defineJobLeasesContract } from '@millrace/handover/testing';
import { afterAll, beforeAll } from 'vitest';
import { aRequest, aSubmission, aTask, cancel, plannedJobs, submit } from './testing/planned-jobs.ts';
import { openTestProgress, type TestProgress } from './testing.ts';

/** Between two looks for lapsed leases, ms. */
const lookMs = 500;

/** Says whether the watch over the leases waits for its next look, or is at one. */
class LookClock extends ManualClock {
  waiting = 0;

  override after(delayMs: number, callback: () => void) {
    if (delayMs !== lookMs) return super.after(delayMs, callback);
    this.waiting++;
    return super.after(delayMs, () => {
      this.waiting--;
      callback();
    });
  }
}

let clock: LookClock;
let progress: TestProgress;

/** A look that took longer than it should would pass for a stall of the process, after which silence does not count. */
async function advance(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= lookMs) {
    await clock.advance(Math.min(left, lookMs));
    do await new Promise((resolve) => setTimeout(resolve, 3));
    while (clock.waiting === 0);
  }
}

beforeAll(async () => {
  clock = new LookClock();
  progress = await openTestProgress({ clock, jobTypes: plannedJobs().types });
  await advance(6_000); // a fresh instance lets workers find it before it holds their silence against them
});
afterAll(() => progress[Symbol.asyncDispose]());

defineJobLeasesContract('the desk of progress', async () => {
  const { sql } = progress.database;
  await sql`TRUNCATE progress.jobs CASCADE`;
  const jobs = new Map<string, string>();
  return {
    leases: progress.service.leases,
    async addTasks(count) {
      for (let i = 0; i < count; i++) {
        const { jobId } = await submit(progress, aSubmission({ request: aRequest({ tasks: [aTask('a')] }) }));
        const [task] = await sql<{ task_id: string }[]>`SELECT task_id FROM progress.tasks WHERE job_id = ${jobId}`;
        jobs.set(task!.task_id, jobId);
        await clock.advance(1); // the order in which they came
      }
      return [...jobs.keys()].slice(-count);
    },
    cancel: async (taskId) => void (await cancel(progress, jobs.get(taskId)!)),
    async standing(taskId) {
      const [task] = await sql<{ status: string }[]>`SELECT status FROM progress.tasks WHERE task_id = ${taskId}`;
      return task?.status as 'waiting';
    },
    advance,
    retryMs: 2_000,
    async [Symbol.asyncDispose]() {},
  };
});
