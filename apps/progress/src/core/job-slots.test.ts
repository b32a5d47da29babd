/** Slots under contention: who gets in, who waits for whom, and who is told no. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineRig, openEngineRig } from '../testing/engine-rig.ts';
import { aRequest, aSubmission, aTask, doneWith, failedWith, stopped } from '../testing/planned-jobs.ts';
import type { Submission } from './job-desk.ts';
import { endLapsedLeases } from './lease-lapses.ts';
import { takeEnd } from './task-ends.ts';
import { takeReports } from './task-reports.ts';

let rig: EngineRig;
beforeAll(async () => {
  rig = await openEngineRig({ maxOpen: 10, maxProcessing: 3 });
});
afterAll(() => rig[Symbol.asyncDispose]());

let owners = 0;
/** Submissions of an owner of their own. */
function submissions(given: Partial<Submission> = {}) {
  const ownerId = `own_${++owners}`;
  return (own: Partial<Submission> = {}) => aSubmission({ ownerId, ...given, ...own });
}
const submit = (submission: Submission) => rig.engine.store.transaction((tx) => rig.desk.submit(tx, submission));
const cancel = (jobId: string) => rig.engine.store.transaction((tx) => rig.desk.cancel(tx, jobId));
const statusOf = async (jobId: string) => (await rig.desk.summary(jobId))?.status;
/** Does whatever can be done, so that the next test finds an empty queue. */
async function empty(): Promise<void> {
  for (let round = 0; round < 50; round++) {
    await rig.clock.advance(70_000);
    await endLapsedLeases(rig.engine);
    const leased = await rig.lease('w-empty', 64);
    if (leased.length === 0) return;
    for (const task of leased) await takeEnd(rig.engine, 'w-empty', doneWith(task));
  }
}

describe('a slot', () => {
  it('of a thousand identical submits at once takes one, and names it to all the others', async () => {
    const one = submissions({ subject: 'vid_thousand' });
    const all = await Promise.all(Array.from({ length: 1_000 }, () => submit(one())));
    const accepted = all.filter((submitted) => submitted.kind === 'accepted');
    expect(accepted).toHaveLength(1);
    const named = new Set(all.map((each) => (each.kind === 'conflict' ? each.active.jobId : 'accepted')));
    expect(named).toEqual(new Set(['accepted', accepted[0]?.kind === 'accepted' ? accepted[0].job.jobId : '']));
    await empty();
  }, 60_000);

  it('of forty forced submits at once has one active job in the end; the others are cancelled', async () => {
    const one = submissions({ subject: 'vid_forced', force: true });
    const all = await Promise.all(Array.from({ length: 40 }, () => submit(one())));
    expect(all.every((submitted) => submitted.kind === 'accepted')).toBe(true);
    const jobs = await rig.database.sql<{ status: string; count: number }[]>`
      SELECT status, count(*)::int AS count FROM progress.jobs WHERE subject = 'vid_forced' GROUP BY status ORDER BY status`;
    expect([...jobs]).toEqual([
      { status: 'cancelled', count: 39 },
      { status: 'pending', count: 1 },
    ]);
    await empty();
  });

  it('gives a forced successor its turn only when the last lease of the one before has ended', async () => {
    const one = submissions();
    const request = aRequest({ tasks: [aTask('a'), aTask('b')] });
    const first = await submit(one({ subject: 'vid_turn', request }));
    const [a, b] = await rig.lease('w1', 2);
    const second = await submit(one({ subject: 'vid_turn', force: true }));
    if (first.kind !== 'accepted' || second.kind !== 'accepted') throw new Error('expected both to be accepted');
    expect(await rig.desk.progress(second.job.jobId)).toMatchObject({
      status: 'pending',
      phase: 'waiting until the run before it has stopped',
    });
    expect(await rig.desk.progress(first.job.jobId)).toMatchObject({ status: 'processing', cancelling: true });
    expect(
      rig.stops
        .slice(-2)
        .map((stop) => stop.taskId)
        .sort(),
    ).toEqual([a!.task_id, b!.task_id].sort());
    expect(await rig.lease('w2', 4)).toEqual([]);
    expect(await takeEnd(rig.engine, 'w1', stopped(a!))).toBe('taken');
    expect(await rig.lease('w2', 4)).toEqual([]);
    expect(await takeEnd(rig.engine, 'w1', doneWith(b!))).toBe('taken'); // done a moment too late: it was cancelled
    expect(await statusOf(first.job.jobId)).toBe('cancelled');
    const [task] = await rig.lease('w2', 4);
    expect(task?.job_id).toBe(second.job.jobId);
    await empty();
  });

  it('is free again though the worker that was told to stop only goes on reporting: after two leases it is not believed', async () => {
    const submitted = await submit(submissions()({ subject: 'vid_deaf' }));
    if (submitted.kind !== 'accepted') throw new Error('expected it to be accepted');
    const { jobId } = submitted.job;
    const [task] = await rig.lease('w1');
    expect((await cancel(jobId)).kind).toBe('cancelling');
    const report = { task_id: task!.task_id, fence: task!.fence };
    const standings: string[] = [];
    for (let second = 0; second < 12; second++) {
      await rig.clock.advance(1_000);
      standings.push(...(await takeReports(rig.engine, 'w1', [report])));
      await endLapsedLeases(rig.engine);
    }
    expect(standings.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'taken'));
    expect(standings.at(-1)).toBe('lost');
    expect(await statusOf(jobId)).toBe('cancelled');
    expect(rig.refused).toContain('stop-overdue');
  });

  it('whose job failed holds its successor back until the failed one’s other leases have ended', async () => {
    const one = submissions({ subject: 'vid_failed', request: aRequest({ tasks: [aTask('a'), aTask('b')] }) });
    const first = await submit(one());
    const [a, b] = await rig.lease('w1', 2);
    await takeEnd(rig.engine, 'w1', failedWith(a!, false));
    if (first.kind !== 'accepted') throw new Error('expected it to be accepted');
    expect(await rig.desk.progress(first.job.jobId)).toMatchObject({
      status: 'failed',
      error: { step: 'work', code: 'bad-media', reason: 'expected media, got bad-media' },
      steps: [{ name: 'work', status: 'failed', reason: 'expected media, got bad-media' }, { status: 'cancelled' }],
    });
    expect((await submit(one())).kind).toBe('accepted');
    expect(await rig.lease('w2')).toEqual([]);
    await takeEnd(rig.engine, 'w1', stopped(b!));
    expect(await rig.lease('w2')).toHaveLength(1);
    await empty();
  });

  it('takes no job whose plan makes no sense, and then nothing has happened', async () => {
    const bad = [
      { tasks: [] },
      { tasks: [aTask('a', { after: ['nobody'] })] },
      { tasks: [aTask('a'), aTask('a')] },
      { tasks: [aTask('a', { step: 'nowhere' })] },
      { tasks: [aTask('a', { after: ['b'] }), aTask('b', { after: ['a'] })] },
      { steps: [{ name: 'work', weight: 99, phase: 'working' }] },
    ];
    for (const plan of bad) {
      await expect(submit(submissions()({ subject: 'vid_bad', request: aRequest(plan) }))).rejects.toThrow(
        /process job_/,
      );
    }
    expect(await rig.desk.newest('process', 'vid_bad')).toBeUndefined();
  });
});

describe('an owner', () => {
  it('gets exactly as many jobs in as the quota says, also when all come at once', async () => {
    const one = submissions();
    const all = await Promise.all(Array.from({ length: 40 }, () => submit(one())));
    expect(all.filter((submitted) => submitted.kind === 'accepted')).toHaveLength(10);
    expect(all.filter((submitted) => submitted.kind === 'quota')).toHaveLength(30);
    await empty();
  });

  it('runs no more jobs at once than the limit says, also when workers ask at once; others pass by', async () => {
    const [busy, other] = [submissions(), submissions()];
    for (let n = 0; n < 6; n++) await submit(busy());
    const late = await submit(other());
    const leased = (await Promise.all([1, 2, 3, 4].map((n) => rig.lease(`w${n}`, 2)))).flat();
    const jobs = leased.map((task) => task.job_id);
    expect(new Set(leased.map((task) => task.task_id)).size).toBe(leased.length);
    expect(jobs.length).toBe(4);
    expect(late.kind === 'accepted' && jobs.includes(late.job.jobId)).toBe(true);
    for (const task of leased) await takeEnd(rig.engine, 'w1', stopped(task));
    await empty();
  });
});
