/**
 * The engine against everybody at once: users who submit, force and cancel, workers who work, lie, repeat themselves and die, time that
 * passes. After every step the database is asked whether what must always hold does.
 */
import { type LeasedTask, type TaskEnd, taskProgressResponseSchema } from '@millrace/api';
import { newId, systemIdSource } from '@millrace/ids';
import { type JobState, jobHasEnded, jobSignals, moveJob, moveTask, type TaskState, taskSignals } from '@millrace/job';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineRig, openEngineRig } from '../testing/engine-rig.ts';
import { aRequest, aTask, doneWith, failedWith, type PlannedRequest, stopped } from '../testing/planned-jobs.ts';
import { endLapsedLeases } from './lease-lapses.ts';
import { countProgress } from './progress-count.ts';
import { takeEnd } from './task-ends.ts';
import { takeReports } from './task-reports.ts';

const maxProcessing = 2;
const maxOpen = 6;
const leaseMs = 5_000;

const shapes: readonly PlannedRequest[] = [
  aRequest({ tasks: [aTask('a')] }),
  aRequest(),
  aRequest({
    tasks: [
      ...[1, 2, 3].map((at) => aTask(`span/${at}`, { share: at, rank: at })),
      aTask('z', { step: 'publish', after: ['span/1', 'span/2', 'span/3'], kind: 'publish' }),
    ],
  }),
  aRequest({ tasks: [aTask('a'), aTask('o', { step: 'publish', optional: true })] }),
  aRequest({
    tasks: [aTask('a')],
    follow: {
      a: { tasks: [aTask('b'), aTask('c', { after: ['b'] })], skipped: [{ step: 'publish', reason: 'nothing to do' }] },
    },
  }),
];

type Op =
  | { readonly op: 'submit'; readonly subject: number; readonly force: boolean; readonly shape: number }
  | { readonly op: 'lease'; readonly worker: number; readonly slots: number }
  | { readonly op: 'report'; readonly lease: number; readonly done: number }
  | {
      readonly op: 'end';
      readonly lease: number;
      readonly how: 'done' | 'retryable' | 'fatal' | 'stopped' | 'returned';
    }
  | { readonly op: 'cancel'; readonly job: number }
  | { readonly op: 'pass'; readonly ms: number }
  | { readonly op: 'count' };

const opOf = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('submit' as const),
      subject: fc.nat(2),
      force: fc.boolean(),
      shape: fc.nat(4),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('lease' as const),
      worker: fc.nat(2),
      slots: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('report' as const),
      lease: fc.nat(),
      done: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('end' as const),
      lease: fc.nat(),
      how: fc.constantFrom(
        'done' as const,
        'done' as const,
        'retryable' as const,
        'fatal' as const,
        'stopped' as const,
        'returned' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('cancel' as const), job: fc.nat() }) },
  // longer than a lease: whoever did not report is dead
  { weight: 2, arbitrary: fc.record({ op: fc.constant('pass' as const), ms: fc.constantFrom(700, 3_000, 6_000) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('count' as const) }) },
);

interface JobRow {
  job_id: string;
  kind: string;
  subject: string;
  status: JobState;
  cancelling: boolean;
  draining: boolean;
  blocked: boolean;
  progress: number;
}
interface TaskRow {
  task_id: string;
  job_id: string;
  status: TaskState;
  fence: number;
  worker_id: string | null;
  stopping_at: Date | null;
}

class World {
  readonly rig: EngineRig;
  readonly owner = newId('own', systemIdSource);
  readonly jobs: string[] = [];
  /** Every lease that was ever given: workers may still speak of any of them. */
  readonly leases: { readonly worker: string; readonly task: LeasedTask }[] = [];
  readonly #seenJobs = new Map<string, JobRow>();
  readonly #seenTasks = new Map<string, TaskRow>();
  readonly #fences = new Map<string, number>();
  readonly #taken = new Set<string>();

  constructor(rig: EngineRig) {
    this.rig = rig;
  }

  async run(op: Op): Promise<void> {
    const { engine, desk, clock } = this.rig;
    switch (op.op) {
      case 'submit': {
        const submission = {
          ...{ jobId: newId('job', systemIdSource), kind: 'process' as const, subject: `${this.owner}-${op.subject}` },
          ...{ ownerId: this.owner, priority: 'normal' as const, request: shapes[op.shape], force: op.force },
        };
        const before = (await this.rows()).jobs.filter((job) => !jobHasEnded(job.status));
        const active = before.find((job) => job.subject === submission.subject && !job.cancelling);
        const submitted = await engine.store.transaction((tx) => desk.submit(tx, submission));
        if (submitted.kind === 'accepted') this.jobs.push(submission.jobId);
        const expected =
          active !== undefined && !op.force
            ? 'conflict'
            : active === undefined && before.length >= maxOpen
              ? 'quota'
              : 'accepted';
        expect(submitted.kind).toBe(expected);
        if (submitted.kind === 'conflict') expect(submitted.active.jobId).toBe(active?.job_id);
        return;
      }
      case 'lease':
        for (const task of await this.rig.lease(`w${op.worker}`, op.slots)) {
          expect(task.fence).toBeGreaterThan(this.#fences.get(task.task_id) ?? 0);
          this.#fences.set(task.task_id, task.fence);
          this.leases.push({ worker: `w${op.worker}`, task });
        }
        return;
      case 'report': {
        const held = this.leases[op.lease % Math.max(1, this.leases.length)];
        if (held === undefined) return;
        const { task_id, fence } = held.task;
        const row = (await this.rows()).tasks.find((one) => one.task_id === task_id);
        const stopOverdue = row?.stopping_at instanceof Date && row.stopping_at.getTime() < clock.nowMs() - leaseMs;
        const holds = row?.status === 'leased' && row.fence === fence && row.worker_id === held.worker && !stopOverdue;
        const standing = await takeReports(engine, held.worker, [{ task_id, fence, done: op.done, phase: 'busy' }]);
        expect(standing).toEqual([holds ? 'taken' : 'lost']);
        return;
      }
      case 'end': {
        const held = this.leases[op.lease % Math.max(1, this.leases.length)];
        if (held === undefined) return;
        const { task_id, fence } = held.task;
        const row = (await this.rows()).tasks.find((one) => one.task_id === task_id);
        const holds = row?.status === 'leased' && row.fence === fence && row.worker_id === held.worker;
        const end = endOf(held.task, op.how);
        const name = `${task_id} ${fence} done`;
        const repeated = end.kind === 'done' && row?.status === 'done' && this.#taken.has(name);
        const standing = await takeEnd(engine, held.worker, end);
        expect(standing).toBe(holds || repeated ? 'taken' : 'lost');
        if (standing === 'taken' && end.kind === 'done') this.#taken.add(name);
        return;
      }
      case 'cancel': {
        const jobId = this.jobs[op.job % Math.max(1, this.jobs.length)];
        if (jobId === undefined) return;
        const before = this.#seenJobs.get(jobId);
        const { kind } = await engine.store.transaction((tx) => desk.cancel(tx, jobId));
        if (before !== undefined && jobHasEnded(before.status)) expect(kind).toBe('ended');
        else expect(['cancelled', 'cancelling']).toContain(kind);
        if (before?.status === 'pending') expect(kind).toBe('cancelled');
        return;
      }
      case 'pass':
        await clock.advance(op.ms);
        await endLapsedLeases(engine);
        return;
      case 'count': {
        const moved = [...this.rig.moved];
        this.rig.moved.clear();
        expect(await countProgress(engine, moved)).toEqual([]);
        return;
      }
    }
  }

  async rows(): Promise<{ jobs: readonly JobRow[]; tasks: readonly TaskRow[] }> {
    const { sql } = this.rig.database;
    const jobs = await sql<JobRow[]>`SELECT * FROM progress.jobs WHERE owner_id = ${this.owner} ORDER BY job_id`;
    const tasks = await sql<TaskRow[]>`SELECT * FROM progress.tasks WHERE owner_id = ${this.owner}`;
    return { jobs, tasks };
  }

  /** What must hold at any time. */
  async check(): Promise<void> {
    const { jobs, tasks } = await this.rows();
    expect(await this.rig.engine.store.jobs.countOpen(this.owner)).toBe(
      jobs.filter((job) => !jobHasEnded(job.status)).length,
    );
    const slots = new Map<string, JobRow[]>();
    for (const job of jobs) slots.set(job.subject, [...(slots.get(job.subject) ?? []), job]);
    const leasedOf = (job: JobRow) =>
      tasks.filter((task) => task.job_id === job.job_id && task.status === 'leased').length;
    for (const slot of slots.values()) {
      expect(slot.filter((job) => !jobHasEnded(job.status) && !job.cancelling).length).toBeLessThanOrEqual(1);
      expect(slot.filter((job) => job.draining).length).toBeLessThanOrEqual(1);
      // nothing of a slot runs beside anything else of it
      expect(slot.filter((job) => leasedOf(job) > 0).length).toBeLessThanOrEqual(1);
      expect(slot.some((job) => job.blocked)).toBe(slot.some((job) => job.blocked) && slot.some((job) => job.draining));
    }
    expect(jobs.filter((job) => job.status === 'processing').length).toBeLessThanOrEqual(maxProcessing);
    for (const job of jobs) {
      const before = this.#seenJobs.get(job.job_id);
      const from = before?.status ?? 'pending';
      const reachable = jobSignals.flatMap((signal) => {
        const moved = moveJob(from, signal);
        return moved.ok ? [moved.value] : [];
      });
      expect([from, ...reachable]).toContain(job.status);
      expect(job.progress).toBeGreaterThanOrEqual(before?.progress ?? 0);
      expect(job.progress).toBeLessThanOrEqual(100);
      expect(job.progress === 100).toBe(job.status === 'completed');
      expect(job.draining).toBe(leasedOf(job) > 0 && (job.cancelling || jobHasEnded(job.status)));
      if (jobHasEnded(job.status)) {
        const open = tasks.filter(
          (task) => task.job_id === job.job_id && (task.status === 'ready' || task.status === 'waiting'),
        );
        expect(open).toEqual([]);
      }
      this.#seenJobs.set(job.job_id, job);
    }
    for (const task of tasks) {
      const before = this.#seenTasks.get(task.task_id);
      if (before !== undefined) {
        const reachable = taskSignals.flatMap((signal) => {
          const moved = moveTask(before.status, signal);
          return moved.ok ? [moved.value] : [];
        });
        expect([before.status, ...reachable]).toContain(task.status);
        expect(task.fence).toBeGreaterThanOrEqual(before.fence);
      }
      this.#seenTasks.set(task.task_id, task);
    }
  }

  /** Every field is there, in every state. */
  async checkViews(): Promise<void> {
    for (const jobId of this.jobs) {
      const shown = await this.rig.desk.progress(jobId);
      expect(() => taskProgressResponseSchema.parse(shown)).not.toThrow();
      expect(shown!.steps.reduce((sum, step) => sum + step.weight, 0)).toBeCloseTo(100, 1);
      if (shown!.status === 'completed')
        expect(shown!.steps.every((step) => step.status === 'completed' || step.status === 'skipped')).toBe(true);
      if (shown!.status === 'failed')
        expect(shown!.error).toMatchObject({ code: expect.any(String), reason: expect.any(String) });
    }
  }

  /** An honest worker, given time, brings everything to its end. */
  async finish(): Promise<void> {
    for (let round = 0; round < 60; round++) {
      const open = (await this.rows()).jobs.filter((job) => !jobHasEnded(job.status) || job.draining);
      if (open.length === 0) return;
      await this.run({ op: 'pass', ms: 6_000 });
      await this.check();
      const leased = await this.rig.lease('honest', 8);
      await this.check();
      for (const task of leased) {
        expect(await takeEnd(this.rig.engine, 'honest', doneWith(task))).toBe('taken');
        await this.check();
      }
      await this.run({ op: 'count' });
    }
    expect((await this.rows()).jobs.filter((job) => !jobHasEnded(job.status))).toEqual([]);
  }
}

function endOf(task: LeasedTask, how: Extract<Op, { op: 'end' }>['how']): TaskEnd {
  switch (how) {
    case 'done':
      return doneWith(task);
    case 'retryable':
      return failedWith(task, true, 'encoder-crashed');
    case 'fatal':
      return failedWith(task, false);
    case 'stopped':
      return stopped(task);
    case 'returned':
      return { kind: 'returned', task_id: task.task_id, fence: task.fence };
  }
}

describe('in any interleaving of users, workers, deaths and time', () => {
  let rig: EngineRig;
  beforeAll(async () => {
    rig = await openEngineRig({ maxProcessing, maxOpen, leaseMs });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  it('a slot has one active job, states move along their arrows, progress never goes back, fences rise, everything ends', async () => {
    // a busy machine tries fewer cases, each to its end: one that is broken off would leave its jobs without theirs
    const enoughMs = performance.now() + 20_000;
    await fc.assert(
      fc.asyncProperty(fc.array(opOf, { minLength: 5, maxLength: 40, size: 'max' }), async (ops) => {
        if (performance.now() > enoughMs) return;
        // what a failed run left
        await rig.database.sql`DELETE FROM progress.jobs`;
        await rig.database.sql`DELETE FROM progress.open_jobs`;
        rig.moved.clear();
        const world = new World(rig);
        for (const op of ops) {
          await world.run(op);
          await world.check();
        }
        await world.checkViews();
        await world.finish();
        await world.check();
        await world.checkViews();
      }),
      { numRuns: 16 },
    );
    const byJob = new Map<string, string[]>();
    const progress = new Map<string, number>();
    for (const fact of await rig.facts()) {
      byJob.set(fact.job_id, [...(byJob.get(fact.job_id) ?? []), fact.type]);
      if (fact.type !== 'JobProgressed') continue;
      expect(fact.progress).toBeGreaterThanOrEqual(progress.get(fact.job_id) ?? 0);
      progress.set(fact.job_id, fact.progress);
    }
    for (const types of byJob.values()) {
      expect(types.filter((type) => type !== 'JobProgressed').join(' ')).toMatch(
        /^JobQueued( JobStarted)? (JobCompleted|JobFailed|JobCancelled)$/,
      );
      expect(types.at(-1)).not.toBe('JobProgressed');
    }
  }, 60_000);
});
