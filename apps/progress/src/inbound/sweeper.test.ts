import { ManualClock } from '@millrace/clock/testing';
import { silentLogger } from '@millrace/log';
import { openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry } from '@millrace/metrics';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { takeEnd } from '../core/task-ends.ts';
import { createProgressMetrics } from '../metrics.ts';
import { type EngineRig, openEngineRig } from '../testing/engine-rig.ts';
import { aRequest, aSubmission, aTask, doneWith } from '../testing/planned-jobs.ts';
import { runLapseWatch } from './lapse-watch.ts';
import { cleanStore } from './store-cleaner.ts';
import { measureQueue, sweepOnce } from './sweeper.ts';

let rig: EngineRig;
const registry = openMetricsRegistry({ processMetrics: false });
const metrics = createProgressMetrics(registry);
beforeAll(async () => {
  rig = await openEngineRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

const dayMs = 24 * 3_600_000;
const sweep = () =>
  sweepOnce({ store: rig.engine.store, clock: rig.clock, log: silentLogger, metrics, retentionMs: 30 * dayMs });

async function completedJob(subject: string): Promise<string> {
  const submission = aSubmission({ subject, request: aRequest({ tasks: [aTask('a')] }) });
  await rig.engine.store.transaction((tx) => rig.desk.submit(tx, submission));
  const [task] = await rig.lease('w1');
  await takeEnd(rig.engine, 'w1', doneWith(task!));
  return submission.jobId;
}

describe('the sweeper', () => {
  it('removes finished jobs after their time, except the newest of a subject, whose state still answers', async () => {
    const old = await completedJob('vid_swept');
    const newest = await completedJob('vid_swept');
    await rig.clock.advance(29 * dayMs);
    await sweep();
    expect(await rig.desk.progress(old)).toBeDefined();
    await rig.clock.advance(2 * dayMs);
    await sweep();
    expect(await rig.desk.progress(old)).toBeUndefined();
    expect(await rig.desk.newestProgress('process', 'vid_swept')).toMatchObject({
      task_id: newest,
      status: 'completed',
      steps: [{ status: 'completed' }, { status: 'completed' }],
      attempts: [],
    });
  });

  it('removes the jobs of a forgotten subject at any age, but not while they run', async () => {
    const done = await completedJob('vid_forgotten');
    const running = aSubmission({ subject: 'vid_forgotten' });
    await rig.engine.store.transaction((tx) => rig.desk.submit(tx, running));
    await rig.lease('w1');
    await rig.engine.store.transaction((tx) => rig.desk.forget(tx, 'process', 'vid_forgotten'));
    expect(await rig.desk.newest('process', 'vid_forgotten')).toBeUndefined(); // its name may be another's by now
    await sweep();
    expect(await rig.desk.summary(done)).toBeUndefined();
    expect((await rig.desk.summary(running.jobId))?.status).toBe('processing');
    await measureQueue({ store: rig.engine.store, metrics });
    expect(await registry.metrics()).toContain('millrace_progress_jobs_open{kind="process",status="processing"} 1');
  });
});

describe('the store cleaner', () => {
  it('removes a job’s work folder at its end, and what a late worker wrote once more; a failing store is asked again', async () => {
    const mediaStore = openMemoryStore();
    const jobId = await completedJob('vid_work');
    const put = (key: string) => mediaStore.put(key, [new Uint8Array(1)]);
    await put(`work/${jobId}/speech.wav`);
    await put('work/job_other/kept.wav');
    let failing = true;
    const store = {
      ...mediaStore,
      deletePrefix: async (prefix: string) =>
        failing
          ? { ok: false as const, error: { kind: 'unavailable' as const, message: 'away' } }
          : mediaStore.deletePrefix(prefix),
    };
    const clean = () =>
      cleanStore({
        ...{ cleanups: rig.engine.store.cleanups, mediaStore: store, clock: rig.clock, log: silentLogger, metrics },
        lateWriteMs: 15_000,
      });
    await clean();
    expect(mediaStore.objects.size).toBe(2);
    failing = false;
    await rig.clock.advance(2_000);
    await clean();
    expect([...mediaStore.objects.keys()]).toEqual(['work/job_other/kept.wav']);
    await put(`work/${jobId}/late.wav`);
    await clean();
    expect(mediaStore.objects.size).toBe(2);
    await rig.clock.advance(15_001);
    await clean();
    expect([...mediaStore.objects.keys()]).toEqual(['work/job_other/kept.wav']);
    const left = await rig.database.sql`SELECT 1 FROM progress.cleanups`;
    expect(left).toHaveLength(0);
  });

  it('never takes the empty prefix, which is everything, for one to remove', async () => {
    for (const entry of [{ prefix: '' }, { prefix: '/' }, { prefix: 'work' }, { key: '' }, { key: 'work/' }]) {
      await expect(rig.engine.store.cleanups.add([entry], 0)).rejects.toThrow('cleanup: expected');
    }
  });
});

describe('the lapse watch', () => {
  it('takes its own stall for no silence of the workers', async () => {
    await using own = await openEngineRig();
    const clock = new ManualClock();
    const lapsed: number[] = [];
    const tasks = {
      ...own.engine.store.tasks,
      lapsed: async (nowMs: number) => {
        lapsed.push(nowMs);
        return [];
      },
    };
    const engine = { ...own.engine, clock, store: { ...own.engine.store, tasks } };
    const stop = new AbortController();
    const watching = runLapseWatch(
      { engine, clock, log: silentLogger, metrics, onRound: () => {}, workersHere: false },
      stop.signal,
    );
    const looks = () => lapsed.filter((nowMs) => nowMs > 0).length;
    await clock.advance(4_600);
    expect(looks()).toBe(0); // an instance that just began has not listened long enough
    await clock.advance(1_000);
    expect(looks()).toBeGreaterThan(0);
    stop.abort();
    await watching;
  });

  it('in the process of its workers ends what dead ones had at once, before anybody leases', async () => {
    await using own = await openEngineRig();
    const { engine, clock } = own;
    await engine.store.transaction((tx) => own.desk.submit(tx, aSubmission()));
    const [lost] = await own.lease('dead');
    const stop = new AbortController();
    let rounds = 0;
    const onRound = () => void rounds++;
    const watching = runLapseWatch(
      { engine, clock, log: silentLogger, metrics, onRound, workersHere: true },
      stop.signal,
    );
    await vi.waitFor(() => expect(rounds).toBe(1));
    expect(await own.lease('alive')).toMatchObject([{ task_id: lost?.task_id, fence: (lost?.fence ?? 0) + 1 }]);
    await clock.advance(4_600);
    expect(await engine.store.tasks.get(lost?.task_id ?? '')).toMatchObject({ status: 'leased', workerId: 'alive' });
    stop.abort();
    await clock.advance(1_000);
    await watching;
  });
});
