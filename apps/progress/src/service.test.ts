import { readFileSync } from 'node:fs';
import type { StopOrder } from '@millrace/api';
import { type Clock, systemClock } from '@millrace/clock';
import { ManualClock } from '@millrace/clock/testing';
import { describe, expect, it } from 'vitest';
import {
  aRequest,
  aSubmission,
  aTask,
  cancel,
  doneWith,
  lease,
  plannedJobs,
  stopped,
  submit,
  tryToSubmit,
} from './testing/planned-jobs.ts';
import { openTestProgress, type TestProgress } from './testing.ts';

const never = () => new AbortController().signal;

/** Waits, in real time, until `look` finds something. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function nextStop(stops: AsyncIterator<StopOrder>): Promise<StopOrder> {
  const next = await stops.next();
  if (next.done) throw new Error('the stream of stop orders ended');
  return next.value;
}

/** Resolves once `count` instances hear each other's hints. */
async function untilListening(progress: TestProgress, count: number): Promise<void> {
  await until(async () => {
    const rows = await progress.database.sql`
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%millrace_progress%'`;
    return rows.length >= count ? true : undefined;
  });
}

describe('progress', () => {
  it('takes a job from submitted over leased to completed, and its facts tell it', async () => {
    await using progress = await openTestProgress({ jobTypes: plannedJobs().types });
    const { jobId } = await submit(progress, aSubmission());
    for (let round = 0; round < 2; round++) {
      for (const task of await lease(progress, 'w1', 4, 5_000)) {
        expect(await progress.service.leases.end('w1', doneWith(task))).toEqual({ ok: true, value: 'taken' });
      }
    }
    expect(await progress.service.desk.ended(jobId, never())).toBe('completed');
    expect(await progress.service.desk.progress(jobId)).toMatchObject({
      status: 'completed',
      progress: 100,
      phase: null,
    });
    const types = (await progress.facts(jobId)).map((fact) => fact.type);
    expect(types.slice(0, 2)).toEqual(['JobQueued', 'JobStarted']);
    expect(types.at(-1)).toBe('JobCompleted');
  });

  it('gives a waiting worker its task, and a stop order, by hints alone: no time passes', async () => {
    await using progress = await openTestProgress({ clock: new ManualClock(), jobTypes: plannedJobs().types });
    const waiting = lease(progress, 'w1', 1, 30_000);
    const { jobId } = await submit(progress, aSubmission());
    const [task] = await waiting;
    expect(task?.job_id).toBe(jobId);
    const stops = progress.service.leases.stops('w1', never())[Symbol.asyncIterator]();
    const order = nextStop(stops);
    const ended = progress.service.desk.ended(jobId, never());
    expect(await cancel(progress, jobId)).toBe('cancelling');
    expect(await order).toEqual({ task_id: task!.task_id, fence: task!.fence, reason: 'cancelled' });
    await progress.service.leases.end('w1', stopped(task!));
    expect(await ended).toBe('cancelled');
  });

  it('tells a worker that connects late of the stop orders that it missed', async () => {
    await using progress = await openTestProgress({ clock: new ManualClock(), jobTypes: plannedJobs().types });
    const { jobId } = await submit(progress, aSubmission());
    const [task] = await lease(progress, 'w1');
    await cancel(progress, jobId);
    const stops = progress.service.leases.stops('w1', never())[Symbol.asyncIterator]();
    expect(await nextStop(stops)).toMatchObject({ task_id: task!.task_id });
  });

  it('of several instances: what happens at one reaches workers and waiters of the other by their hints', async () => {
    const clock = new ManualClock();
    await using progress = await openTestProgress({ clock, wake: 'notify', jobTypes: plannedJobs().types });
    await using other = await progress.openAnother('progress-2');
    await untilListening(progress, 2);
    const waiting = lease(progress, 'w1', 1, 30_000);
    const { jobId } = await submit({ service: other }, aSubmission());
    await clock.advance(10); // hints gather for a moment
    const [task] = await waiting;
    expect(task?.job_id).toBe(jobId);
    const stops = progress.service.leases.stops('w1', never())[Symbol.asyncIterator]();
    const order = nextStop(stops);
    const ended = progress.service.desk.ended(jobId, never());
    expect(await cancel({ service: other }, jobId)).toBe('cancelling');
    await clock.advance(10);
    expect(await order).toMatchObject({ task_id: task!.task_id });
    await other.leases.end('w1', stopped(task!));
    await clock.advance(10);
    expect(await ended).toBe('cancelled');
  });

  it('loses nothing when its connections to PostgreSQL are cut again and again', async () => {
    await using progress = await openTestProgress({ jobTypes: plannedJobs().types });
    const { sql } = progress.database;
    const tasks = Array.from({ length: 8 }, (_, n) => aTask(`span/${n}`));
    const { jobId } = await submit(progress, aSubmission({ request: aRequest({ tasks }) }));
    let working = true;
    const cutting = (async () => {
      for (let round = 0; round < 3; round++) {
        await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`.catch(
          () => {},
        );
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    })();
    const signal = never();
    const worker = async (name: string) => {
      while (working) {
        const request = { worker_id: name, slots: 2, kinds: ['probe' as const], wait_ms: 200 };
        const leased = await progress.service.leases.lease(request, signal);
        for (const task of leased.ok ? leased.value : []) {
          await until(async () => ((await progress.service.leases.end(name, doneWith(task))).ok ? true : undefined));
        }
      }
    };
    const workers = [worker('w1'), worker('w2')];
    await cutting;
    const status = await until(async () => {
      const job = await progress.service.desk.summary(jobId).catch(() => undefined);
      return job?.status === 'completed' ? job.status : undefined;
    });
    working = false;
    await Promise.all(workers);
    expect(status).toBe('completed');
    const types = await until(async () => {
      const facts = await progress.facts(jobId).catch(() => []);
      return facts.some((fact) => fact.type === 'JobCompleted') ? facts.map((fact) => fact.type) : undefined;
    });
    expect(types.filter((type) => type === 'JobCompleted')).toHaveLength(1);
    expect(types.filter((type) => type === 'JobStarted')).toHaveLength(1);
  }, 30_000);

  it('goes on after a restart where it was: jobs, leases of workers elsewhere, what is done', async () => {
    await using progress = await openTestProgress({ wake: 'notify', jobTypes: plannedJobs().types });
    const { jobId } = await submit(progress, aSubmission());
    const [first] = await lease(progress, 'w1');
    await progress.restart();
    expect(await progress.service.leases.end('w1', doneWith(first!))).toEqual({ ok: true, value: 'taken' });
    const [second] = await lease(progress, 'w1', 1, 5_000);
    await progress.service.leases.end('w1', doneWith(second!));
    expect(await progress.service.desk.ended(jobId, never())).toBe('completed');
  });

  it('shows progress within its interval after a report, once however many reports came', async () => {
    const clock = new ManualClock();
    await using progress = await openTestProgress({ clock, jobTypes: plannedJobs().types });
    const { jobId } = await submit(progress, aSubmission());
    const [task] = await lease(progress, 'w1');
    const held = { task_id: task!.task_id, fence: task!.fence };
    const reports = Array.from({ length: 60 }, (_, n) => ({ ...held, done: n / 100, phase: `frame ${n}` }));
    expect((await progress.service.leases.report('w1', reports)).ok).toBe(true);
    const shown = await until(async () => {
      await clock.advance(100);
      const job = await progress.service.desk.progress(jobId);
      return job !== undefined && job.progress > 0 ? job : undefined;
    });
    expect(shown).toMatchObject({ progress: 35.4, phase: 'frame 59' });
    const counted = (await progress.facts(jobId)).filter((fact) => fact.type === 'JobProgressed');
    expect(counted.length).toBeLessThanOrEqual(2); // that it began, and the reports
  });

  it('answers within the waiting time when there is nothing to do, and gives back what nobody waits for any more', async () => {
    await using progress = await openTestProgress({ jobTypes: plannedJobs().types });
    expect(await lease(progress, 'w1', 1, 0)).toEqual([]);
    const gone = new AbortController();
    const request = { worker_id: 'w1', slots: 1, kinds: ['probe' as const], wait_ms: 30_000 };
    const left = progress.service.leases.lease(request, gone.signal);
    const submitting = tryToSubmit(progress, aSubmission());
    gone.abort();
    expect(await left).toEqual({ ok: true, value: [] });
    await submitting;
    expect(await lease(progress, 'w2', 1, 5_000)).toHaveLength(1);
  });

  it('refuses a result of another kind than the task’s, so that the worker does not repeat it', async () => {
    await using progress = await openTestProgress({ jobTypes: plannedJobs().types });
    await submit(progress, aSubmission());
    const [task] = await lease(progress, 'w1');
    const result = { kind: 'publish' as const, rungs: [], bytes: 0 };
    expect(await progress.service.leases.end('w1', { ...stopped(task!), kind: 'done', result })).toMatchObject({
      ok: false,
      error: { kind: 'refused' },
    });
  });

  it('logs and counts requests that took too long', async () => {
    let now = 0;
    const slow: Clock = { ...systemClock, monotonicMs: () => (now += 600) };
    await using progress = await openTestProgress({
      ...{ clock: slow, jobTypes: plannedJobs().types },
      settings: { PROGRESS_SLOW_REQUEST_MS: 500 },
    });
    const { token } = await progress.tokenOf('admin');
    expect((await progress.call('GET', '/api/v1/jobs', { token })).status).toBe(200);
    expect(await progress.metrics.metrics()).toContain(
      'millrace_progress_slow_requests_total{route="GET /api/v1/jobs"} 1',
    );
  });
});

describe('the README', () => {
  it('names every setting and metric of the service', async () => {
    const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const { progressProcessSettings } = await import('./config.ts');
    for (const name of Object.keys(progressProcessSettings)) expect(text).toContain(name);
    const metrics = readFileSync(new URL('./metrics.ts', import.meta.url), 'utf8');
    for (const [, name] of metrics.matchAll(/name: '(millrace_[a-z_]+)'/g)) expect(text).toContain(name);
  });
});
