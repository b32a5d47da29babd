/** Everybody really at once: no two of them may wait for each other in a circle, and what must hold holds. */
import { jobHasEnded } from '@millrace/job';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EngineRig, openEngineRig } from '../testing/engine-rig.ts';
import { aRequest, aSubmission, aTask, doneWith, failedWith } from '../testing/planned-jobs.ts';
import { endLapsedLeases } from './lease-lapses.ts';
import { countProgress } from './progress-count.ts';
import { takeEnd } from './task-ends.ts';
import { takeReports } from './task-reports.ts';

let rig: EngineRig;
beforeAll(async () => {
  rig = await openEngineRig({ maxProcessing: 4, maxOpen: 100 });
});
afterAll(() => rig[Symbol.asyncDispose]());

const request = aRequest({
  tasks: [
    ...[1, 2, 3].map((n) => aTask(`span/${n}`)),
    aTask('z', { step: 'publish', after: ['span/1', 'span/2', 'span/3'], kind: 'publish' }),
  ],
  follow: { 'span/1': { tasks: [aTask('more')], skipped: [] } },
});

it('users who submit, force and cancel, workers, lapses and counts at once never deadlock, and leave nothing undone', async () => {
  const random = fc.sample(fc.double({ min: 0, max: 0.999, noNaN: true }), { numRuns: 2_000, seed: 7 });
  let at = 0;
  const next = () => random[at++ % random.length]!;
  const jobs: string[] = [];
  const { engine, desk } = rig;
  let storming = true;

  async function user(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const subject = `vid_storm${Math.floor(next() * 4)}`;
      if (next() < 0.3 && jobs.length > 0) {
        const jobId = jobs[Math.floor(next() * jobs.length)]!;
        await engine.store.transaction((tx) => desk.cancel(tx, jobId));
        continue;
      }
      const submission = aSubmission({
        subject,
        request,
        ownerId: `own_${Math.floor(next() * 2)}`,
        force: next() < 0.5,
      });
      await engine.store.transaction(async (tx) => {
        await rig.lockSubject(tx, subject); // as a route locks its video
        const submitted = await desk.submit(tx, submission);
        if (submitted.kind === 'accepted') jobs.push(submission.jobId);
      });
    }
  }
  async function worker(name: string): Promise<void> {
    while (storming) {
      for (const task of await rig.lease(name, 3)) {
        const report = { task_id: task.task_id, fence: task.fence, done: next() };
        if ((await takeReports(engine, name, [report]))[0] === 'lost') continue;
        const dies = next() < 0.1;
        if (!dies) await takeEnd(engine, name, next() < 0.1 ? failedWith(task, next() < 0.5) : doneWith(task));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  async function clock(): Promise<void> {
    while (storming) {
      await rig.clock.advance(500);
      await endLapsedLeases(engine);
      await countProgress(engine, jobs.slice(-10));
    }
  }

  const others = [worker('w1'), worker('w2'), worker('w3'), clock(), clock()];
  try {
    await Promise.all([user(60), user(60), user(60)]);
  } finally {
    storming = false;
  }
  await Promise.all(others);
  for (let round = 0; round < 100; round++) {
    await rig.clock.advance(6_000);
    await endLapsedLeases(engine);
    const leased = await rig.lease('honest', 10);
    for (const task of leased) await takeEnd(engine, 'honest', doneWith(task));
    const left = await rig.database.sql`
      SELECT 1 FROM progress.jobs WHERE status IN ('pending', 'processing') OR draining LIMIT 1`;
    if (left.length === 0) break;
  }
  const rows = await engine.store.jobs.getMany(jobs);
  expect(rows).toHaveLength(jobs.length);
  expect(rows.filter((job) => !jobHasEnded(job.status) || job.draining)).toEqual([]);
  const open = await rig.database.sql`SELECT 1 FROM progress.tasks WHERE status IN ('waiting', 'ready', 'leased')`;
  expect(open).toHaveLength(0);
  const counted = await rig.database.sql`SELECT owner_id, sum(open)::int AS open FROM progress.open_jobs GROUP BY 1`;
  expect(counted.length).toBeGreaterThan(0);
  for (const { open } of counted) expect(open).toBe(0);
}, 60_000);
