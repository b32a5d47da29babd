/** A task on its way: queue, lease, attempts, results. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineRig, openEngineRig } from '../testing/engine-rig.ts';
import { aRequest, aSubmission, aTask, doneWith, failedWith, type PlannedRequest } from '../testing/planned-jobs.ts';
import type { Submission } from './job-desk.ts';
import { endLapsedLeases } from './lease-lapses.ts';
import { countProgress } from './progress-count.ts';
import { takeEnd } from './task-ends.ts';
import { takeReports } from './task-reports.ts';

let rig: EngineRig;
beforeAll(async () => {
  rig = await openEngineRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

async function submit(request: PlannedRequest, given: Partial<Submission> = {}): Promise<string> {
  const submission = aSubmission({ request, ...given });
  const submitted = await rig.engine.store.transaction((tx) => rig.desk.submit(tx, submission));
  expect(submitted.kind).toBe('accepted');
  return submission.jobId;
}
const shown = async (jobId: string) => (await rig.desk.progress(jobId))!;
async function moved(): Promise<void> {
  await countProgress(rig.engine, [...rig.moved]);
  rig.moved.clear();
}

describe('the queue', () => {
  it('goes by priority, then by age, then by rank', async () => {
    const tasks = [aTask('late', { rank: 2 }), aTask('early', { rank: 1 })];
    const [older, newer] = [await submit(aRequest({ tasks })), await submit(aRequest({ tasks }))];
    const high = await submit(aRequest({ tasks: [aTask('x')] }), { priority: 'high' });
    const low = await submit(aRequest({ tasks: [aTask('x')] }), { priority: 'low' });
    const leased = await rig.lease('w1', 8);
    const order = leased.map((task) => [task.job_id, task.spec.kind === 'probe' ? task.spec.source : '']);
    expect(order).toEqual([
      [high, 'x'],
      [older, 'early'],
      [older, 'late'],
      [newer, 'early'],
      [newer, 'late'],
      [low, 'x'],
    ]);
    for (const task of leased) await takeEnd(rig.engine, 'w1', doneWith(task));
  });

  it('gives every task of a job once, to however many workers ask at once', async () => {
    const jobId = await submit(aRequest({ tasks: Array.from({ length: 30 }, (_, n) => aTask(`span/${n}`)) }));
    const [first] = await rig.lease('w0', 1);
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => rig.lease(`w${n}`, 5)));
    const ids = [first!, ...all.flat()].map((task) => task.task_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(30);
    await rig.engine.store.transaction((tx) => rig.desk.cancel(tx, jobId));
    await rig.clock.advance(6_000);
    await endLapsedLeases(rig.engine);
  });
});

describe('a task', () => {
  it('gets the results of what it waited for, in the order of the plan, and is not leased before', async () => {
    const tasks = [
      aTask('b'),
      aTask('a', { kind: 'publish' }),
      aTask('z', { step: 'publish', after: ['a', 'b'], kind: 'publish' }),
    ];
    await submit(aRequest({ tasks }));
    const [b, a] = await rig.lease('w1', 3);
    expect(await rig.lease('w1', 3)).toEqual([]);
    await takeEnd(rig.engine, 'w1', doneWith(a!));
    expect(await rig.lease('w1', 3)).toEqual([]);
    await takeEnd(rig.engine, 'w1', doneWith(b!));
    const [z] = await rig.lease('w1', 3);
    expect(z?.inputs.map((input) => input.kind)).toEqual(['publish', 'probe']);
    await takeEnd(rig.engine, 'w1', doneWith(z!));
  });

  it('whose worker dies goes on elsewhere under a higher fence; what was done stays done, what the dead one says is refused', async () => {
    const jobId = await submit(aRequest());
    const [a] = await rig.lease('w1');
    await takeEnd(rig.engine, 'w1', doneWith(a!));
    await rig.clock.advance(1);
    const [lost] = await rig.lease('w1');
    await takeReports(rig.engine, 'w1', [{ task_id: lost!.task_id, fence: lost!.fence, done: 0.5 }]);
    await moved();
    const before = (await shown(jobId)).progress;
    expect(before).toBe(80);
    await rig.clock.advance(5_001);
    expect(await endLapsedLeases(rig.engine)).toBe(1);
    const [again] = await rig.lease('w2');
    expect(again).toMatchObject({ task_id: lost!.task_id, fence: lost!.fence + 1 });
    expect(await takeReports(rig.engine, 'w1', [{ task_id: lost!.task_id, fence: lost!.fence, done: 1 }])).toEqual([
      'lost',
    ]);
    expect(await takeEnd(rig.engine, 'w1', doneWith(lost!))).toBe('lost');
    await takeReports(rig.engine, 'w2', [{ task_id: again!.task_id, fence: again!.fence, done: 0.1 }]);
    await moved();
    expect((await shown(jobId)).progress).toBe(before);
    expect(await takeEnd(rig.engine, 'w2', doneWith(again!))).toBe('taken');
    expect(await takeEnd(rig.engine, 'w2', doneWith(again!))).toBe('taken');
    const job = await shown(jobId);
    expect(job).toMatchObject({ status: 'completed', progress: 100 });
    expect(job.attempts.map(({ outcome, worker_id }) => [worker_id, outcome]).reverse()).toEqual([
      ['w1', 'done'],
      ['w1', 'lapsed'],
      ['w2', 'done'],
    ]);
  });

  it('that fails and may be tried again waits longer each time; the third failure fails the job with the reason', async () => {
    const jobId = await submit(aRequest());
    const waits: number[] = [];
    for (let failure = 1; failure <= 3; failure++) {
      const startMs = rig.clock.nowMs();
      let leased = await rig.lease('w1');
      while (leased.length === 0) {
        await rig.clock.advance(50);
        leased = await rig.lease('w1');
      }
      waits.push(rig.clock.nowMs() - startMs);
      await takeEnd(rig.engine, 'w1', failedWith(leased[0]!, true, 'encoder-crashed'));
      await moved();
      if (failure < 3) expect((await shown(jobId)).phase).toBe('waiting to try again');
    }
    expect(waits).toEqual([0, 750, 1_500]);
    expect(await shown(jobId)).toMatchObject({
      status: 'failed',
      error: { step: 'work', code: 'encoder-crashed', reason: 'expected media, got encoder-crashed' },
    });
  });

  it('whose workers die one after the other fails its job in the end, and says so', async () => {
    const jobId = await submit(aRequest());
    for (let death = 0; death < 10; death++) {
      await rig.clock.advance(60_000);
      expect(await rig.lease(`w${death}`)).toHaveLength(1);
      await rig.clock.advance(5_001);
      await endLapsedLeases(rig.engine);
    }
    expect(await shown(jobId)).toMatchObject({ status: 'failed', error: { code: 'workers-lost' } });
  });

  it('that is optional and fails for good skips its step with the reason and shares out its weight', async () => {
    const tasks = [
      aTask('a'),
      aTask('words', { step: 'subtitles', optional: true }),
      aTask('z', { step: 'publish', after: ['a', 'words'], kind: 'publish' }),
    ];
    const steps = [
      { name: 'work', weight: 60, phase: 'working' },
      { name: 'subtitles', weight: 20, phase: 'listening' },
      { name: 'publish', weight: 20, phase: 'publishing' },
    ];
    const jobId = await submit(aRequest({ steps, tasks }));
    const [a, words] = await rig.lease('w1', 2);
    await takeEnd(rig.engine, 'w1', doneWith(a!));
    await takeEnd(rig.engine, 'w1', failedWith(words!, false, 'no-model'));
    expect((await shown(jobId)).steps).toMatchObject([
      { name: 'work', weight: 75, status: 'completed' },
      { name: 'subtitles', weight: 0, status: 'skipped', reason: 'expected media, got no-model' },
      { name: 'publish', weight: 25, status: 'pending' },
    ]);
    const [z] = await rig.lease('w1');
    expect(z?.inputs).toHaveLength(1);
    await takeEnd(rig.engine, 'w1', doneWith(z!));
    expect(await shown(jobId)).toMatchObject({ status: 'completed', progress: 100 });
    const ended = rig.jobs.effects.findLast((effect) => effect.kind === 'ended');
    expect(ended?.done?.get('words')).toMatchObject({ result: undefined });
  });

  it('may be followed by tasks that nobody knew before, and a step without tasks is completed with the job', async () => {
    const more = { tasks: [aTask('b'), aTask('c', { after: ['a', 'b'] }), aTask('a')], skipped: [] };
    const jobId = await submit(aRequest({ tasks: [aTask('a')], follow: { a: more } }));
    for (const key of ['a', 'b', 'c']) {
      const [task] = await rig.lease('w1', 5);
      expect(task?.spec).toMatchObject({ source: key });
      await takeEnd(rig.engine, 'w1', doneWith(task!));
    }
    expect((await shown(jobId)).steps.map((step) => step.status)).toEqual(['completed', 'completed']);
  });

  it('with a result of another kind than it was given is a mistake of the worker and changes nothing', async () => {
    const jobId = await submit(aRequest());
    const [task] = await rig.lease('w1');
    const wrong = { ...doneWith(task!), result: { kind: 'publish', rungs: [], bytes: 0 } } as never;
    await expect(takeEnd(rig.engine, 'w1', wrong)).rejects.toThrow('expected a result of probe, got one of publish');
    expect((await shown(jobId)).status).toBe('processing');
    await takeEnd(rig.engine, 'w1', failedWith(task!, false));
  });
});
