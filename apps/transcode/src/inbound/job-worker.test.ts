import type { ResultOf, TaskFailure } from '@millrace/api';
import { ManualClock } from '@millrace/clock/testing';
import { aProbeResult, aProbeTask, createMemoryJobLeases } from '@millrace/handover/testing';
import { silentLogger } from '@millrace/log';
import { openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry, renderMetrics } from '@millrace/metrics';
import { err, ok, type Result } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskContext, TaskExecutors } from '../core/task-executor.ts';
import { createTranscodeMetrics } from '../metrics.ts';
import { createMemoryScratch } from '../testing.ts';
import { JobWorker } from './job-worker.ts';

interface Work {
  readonly source: string;
  readonly context: TaskContext;
  finish(result?: Result<ResultOf<'probe'>, TaskFailure>): void;
  crash(error: Error): void;
}

let clock: ManualClock;
let desk: ReturnType<typeof createMemoryJobLeases>;
let opened: JobWorker[];
beforeEach(() => {
  clock = new ManualClock();
  desk = createMemoryJobLeases(clock);
  opened = [];
});
afterEach(async () => {
  const closing = Promise.all(opened.map((worker) => worker[Symbol.asyncDispose]()));
  await clock.advance(30_000);
  await closing;
  desk[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});

/** A worker whose tasks do what the test says; `stopMs`: how long they need to stop. */
function aWorker(given: { slots?: number; stopMs?: number; isSpare?: () => boolean; workerId?: string } = {}) {
  const works: Work[] = [];
  const probe: TaskExecutors['probe'] = (spec, context) =>
    new Promise((resolve, reject) => {
      works.push({
        source: spec.source,
        context,
        finish: (result = ok(aProbeResult())) => resolve(result),
        crash: reject,
      });
      context.signal.addEventListener('abort', () => {
        if (given.stopMs !== Infinity) clock.after(given.stopMs ?? 0, () => reject(context.signal.reason as Error));
      });
    });
  const scratch = createMemoryScratch();
  const registry = openMetricsRegistry({ processMetrics: false });
  const worker = new JobWorker({
    leases: desk,
    workerId: given.workerId ?? 'worker-a',
    slots: given.slots ?? 2,
    scratchBytes: 1_000,
    executors: { probe },
    store: openMemoryStore(),
    scratch,
    clock,
    log: silentLogger,
    metrics: createTranscodeMetrics(registry),
    isSpare: given.isSpare ?? (() => true),
    random: () => 0.5,
  });
  opened.push(worker);
  const metric = async (name: string) => {
    const line = (await renderMetrics([registry])).body
      .split('\n')
      .find((text) => text.startsWith(`millrace_transcode_${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return { works, worker, scratch, metric };
}

const add = (...ids: string[]) => ids.forEach((id) => desk.add(aProbeTask(id)));
const task = (id: string) => desk.tasks.get(id)!;

describe('a job worker', () => {
  it('does a task, says its result, and has nothing left of it', async () => {
    const { works, worker, scratch, metric } = aWorker();
    add('one');
    await clock.advance(0);
    expect([works[0]!.source, works[0]!.context.scratch]).toEqual(['videos/one/source', '/scratch/one.1']);
    works[0]!.finish();
    await clock.advance(0);
    expect(task('one')).toMatchObject({ state: { kind: 'done' }, taken: [{ kind: 'done', result: aProbeResult() }] });
    expect([scratch.left.size, worker.running]).toEqual([0, 0]);
    expect(await metric('tasks_total{kind="probe",outcome="done"}')).toBe(1);
  });

  it('takes as many tasks as it has slots, and the next when one is free', async () => {
    const { works } = aWorker({ slots: 2 });
    add('one', 'two', 'three');
    await clock.advance(100);
    expect(works).toHaveLength(2);
    works[1]!.finish();
    await clock.advance(0);
    expect(works.map((work) => work.source.split('/')[1])).toEqual(['one', 'two', 'three']);
  });

  it('reports what changed at most every 250 ms, and that it is alive every second', async () => {
    const reports: { done?: number; atMs: number }[] = [];
    const { report } = desk;
    desk.report = (workerId, some) => {
      reports.push(...some.map(({ done }) => ({ ...(done === undefined ? {} : { done }), atMs: clock.monotonicMs() })));
      return report(workerId, some);
    };
    const { works } = aWorker();
    add('one');
    await clock.advance(0);
    for (let i = 1; i <= 100; i++) {
      works[0]!.context.report(i / 200, `at ${i}`);
      await clock.advance(10);
    }
    const moving = reports.filter(({ done }) => done !== undefined);
    expect(moving.length).toBeGreaterThanOrEqual(3);
    for (const [i, { atMs }] of reports.entries())
      if (i > 0) expect(atMs - reports[i - 1]!.atMs).toBeGreaterThanOrEqual(250);
    await clock.advance(400);
    expect(task('one')).toMatchObject({ done: 0.5, phase: 'at 100' });
    const before = reports.length;
    await clock.advance(10_000);
    expect(reports.length - before).toBe(10);
    expect(task('one').state.kind).toBe('leased');
  });

  it('stops a cancelled task at once, and says so when nothing of it is left', async () => {
    const { works, scratch, metric } = aWorker({ stopMs: 150 });
    add('one');
    await clock.advance(0);
    desk.cancel('one');
    await clock.advance(0);
    expect([works[0]!.context.signal.aborted, task('one').state.kind, scratch.left.size]).toEqual([true, 'leased', 1]);
    await clock.advance(150);
    expect([task('one').state.kind, scratch.left.size]).toEqual(['cancelled', 0]);
    expect(await metric('task_stop_seconds_sum{reason="cancelled"}')).toBeCloseTo(0.15);
  });

  it('confirms the stop of a task whose lease never arrived, and does not begin it', async () => {
    const { lease } = desk;
    let arrive = () => {};
    desk.lease = async (request, signal) => {
      const leased = await lease(request, signal);
      await new Promise<void>((resolve) => (arrive = resolve));
      return leased;
    };
    const { works } = aWorker();
    add('one');
    await clock.advance(0);
    desk.cancel('one');
    await clock.advance(0);
    expect(task('one').state.kind).toBe('cancelled');
    desk.lease = lease;
    arrive();
    await clock.advance(100);
    expect(works).toEqual([]);
  });

  it('gives a task up by itself when its lease could not be renewed for 5 s', async () => {
    const { works, worker, metric } = aWorker({ slots: 1 });
    add('one');
    await clock.advance(1_000);
    desk.failWith({ kind: 'unavailable', message: 'restarting' });
    await clock.advance(4_000);
    expect(works[0]!.context.signal.aborted).toBe(false);
    await clock.advance(1_200);
    expect([works[0]!.context.signal.aborted, worker.running]).toEqual([true, 0]);
    expect(await metric('tasks_total{kind="probe",outcome="lapsed"}')).toBe(1);
    desk.failWith(undefined);
    await clock.advance(3_000);
    expect([works.length, task('one').fence]).toEqual([2, 2]);
  });

  it('bears an absence of progress that is shorter than a lease', async () => {
    const { works } = aWorker();
    add('one');
    await clock.advance(1_000);
    desk.failWith({ kind: 'unavailable', message: 'restarting' });
    await clock.advance(3_500);
    works[0]!.finish();
    await clock.advance(100);
    desk.failWith(undefined);
    await clock.advance(1_000);
    expect(task('one')).toMatchObject({ state: { kind: 'done' }, fence: 1 });
  });

  it('stops a task that progress calls lost, and says nothing of it', async () => {
    const { works } = aWorker();
    add('one');
    await clock.advance(0);
    task('one').fence = 7;
    await clock.advance(1_100);
    expect(works[0]!.context.signal.aborted).toBe(true);
    expect(task('one').taken).toEqual([]);
  });

  it('says failures as the executor does, and what it throws as one that may be tried again', async () => {
    const { works } = aWorker();
    add('one', 'two');
    await clock.advance(0);
    works[0]!.finish(err({ code: 'bad-media', reason: 'expected a video, got a text', retryable: false }));
    works[1]!.crash(new Error('the disk broke'));
    await clock.advance(0);
    expect(task('one').state.kind).toBe('failed');
    const failure = { code: 'worker-error', reason: 'the worker failed: the disk broke', retryable: true };
    expect(task('two').taken).toMatchObject([{ kind: 'failed', failure }]);
  });

  it('fails a task for good whose result is refused', async () => {
    const { end } = desk;
    desk.end = async (workerId, ended) =>
      ended.kind === 'done' ? err({ kind: 'refused', message: 'too large' }) : end(workerId, ended);
    const { works } = aWorker();
    add('one');
    await clock.advance(0);
    works[0]!.finish();
    await clock.advance(0);
    expect(task('one').taken).toMatchObject([
      { kind: 'failed', failure: { code: 'result-refused', retryable: false } },
    ]);
  });

  it('lets the lease lapse of a task that does not stop', async () => {
    const { works, worker, metric } = aWorker({ stopMs: Infinity });
    add('one');
    await clock.advance(0);
    desk.cancel('one');
    await clock.advance(18_000);
    expect([task('one').state.kind, task('one').taken, worker.running]).toEqual(['cancelled', [], 1]);
    expect(await metric('tasks_stuck_total{kind="probe"}')).toBe(1);
    works[0]!.crash(new Error('at last'));
  });

  it('stops the largest task when scratch space is over its limit', async () => {
    const { works, scratch } = aWorker();
    add('one', 'two');
    await clock.advance(0);
    for (const [lease, bytes] of Object.entries({ 'one.1': 400, 'two.1': 700 }))
      (scratch.left as Map<string, number>).set(lease, bytes);
    await clock.advance(1_000);
    expect(works.map((work) => work.context.signal.aborted).slice(0, 2)).toEqual([false, true]);
    expect(task('two').taken).toMatchObject([{ kind: 'failed', failure: { code: 'scratch-full', retryable: true } }]);
  });

  it('takes no task while live work needs the machine, or the disk is full', async () => {
    let spare = false;
    const { works, scratch, metric } = aWorker({ isSpare: () => spare });
    scratch.free = 0;
    add('one');
    await clock.advance(4_500);
    spare = true;
    await clock.advance(5_000);
    expect(works).toEqual([]);
    scratch.free = Number.MAX_SAFE_INTEGER;
    await clock.advance(1_000);
    expect(works).toHaveLength(1);
    expect([
      await metric('lease_holds_total{reason="live-work"}'),
      await metric('lease_holds_total{reason="scratch-full"}'),
    ]).toEqual([5, 5]);
  });

  it('gives its tasks back when it drains, and takes no more', async () => {
    const { works, worker, scratch } = aWorker({ stopMs: 100 });
    add('one', 'two');
    await clock.advance(0);
    const closed = worker[Symbol.asyncDispose]();
    await clock.advance(100);
    await closed;
    expect([task('one').taken, task('two').taken].map(([end]) => end!.kind)).toEqual(['returned', 'returned']);
    expect([works.length, scratch.left.size, task('one').state.kind]).toEqual([2, 0, 'waiting']);
  });

  it('is drained within the length of a lease when progress is away', async () => {
    const { worker } = aWorker();
    add('one');
    await clock.advance(0);
    desk.failWith({ kind: 'unavailable', message: 'gone' });
    let closed = false;
    const closing = worker[Symbol.asyncDispose]().then(() => (closed = true));
    await clock.advance(5_200);
    expect(closed).toBe(true);
    await closing;
    desk.failWith(undefined);
  });
});
