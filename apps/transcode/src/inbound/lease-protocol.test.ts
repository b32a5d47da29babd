/**
 * Workers, a desk and everything that comes between them: lost calls, lost answers, cut connections, restarts, kills between any two
 * calls, processes that stand still, clocks that jump. After every step, what must always hold does; and once the trouble is over,
 * every task comes to its end.
 */
import type { TaskEnd } from '@millrace/api';
import type { Clock, Timer } from '@millrace/clock';
import { ManualClock } from '@millrace/clock/testing';
import { type JobLeases, jobLeaseMs } from '@millrace/handover';
import { aProbeResult, aProbeTask, createMemoryJobLeases } from '@millrace/handover/testing';
import { silentLogger } from '@millrace/log';
import { openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry } from '@millrace/metrics';
import { err, ok } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskContext, TaskExecutors } from '../core/task-executor.ts';
import { createTranscodeMetrics } from '../metrics.ts';
import { createMemoryScratch } from '../testing.ts';
import { JobWorker } from './job-worker.ts';

/** The clock of one process, which may stand still, and ends with it. */
class ProcessClock implements Clock {
  readonly #base: ManualClock;
  readonly #timers = new Set<Timer>();
  #late: (() => void)[] | undefined;
  #dead = false;

  constructor(base: ManualClock) {
    this.#base = base;
  }

  nowMs = () => this.#base.nowMs();
  monotonicMs = () => this.#base.monotonicMs();
  after = (delayMs: number, callback: () => void) => this.#add(this.#base.after(delayMs, () => this.#fire(callback)));
  every = (periodMs: number, callback: () => void) => this.#add(this.#base.every(periodMs, () => this.#fire(callback)));

  stand(): void {
    this.#late ??= [];
  }
  goOn(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const callback of new Set(late)) callback();
  }
  kill(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #fire(callback: () => void): void {
    if (this.#dead) return;
    if (this.#late === undefined) callback();
    else if (this.#late.length < 1_000) this.#late.push(callback);
  }
  #add(timer: Timer): Timer {
    this.#timers.add(timer);
    return timer;
  }
}

interface Work {
  readonly context: TaskContext;
  readonly key: string;
  finish(how: 'done' | 'retryable' | 'fatal' | 'crash'): void;
}

/** A process with one worker, and the connection it has to the desk. */
class WorkerProcess {
  readonly works = new Map<string, Work>();
  readonly scratch = createMemoryScratch();
  readonly clock: ProcessClock;
  readonly worker: JobWorker;
  alive = true;
  standing = false;
  /** When something last came between it and the desk. */
  troubledMs: number;
  /** Calls fail before they reach the desk. */
  cut = false;
  /** Answers of the next calls are lost after the desk did as asked. */
  losing = 0;
  /** Dies at the call after this many more, before or after the desk did as asked. */
  fuse: { calls: number; readonly after: boolean } | undefined;
  #unplug = new AbortController();

  readonly world: World;
  readonly id: string;

  constructor(world: World, id: string) {
    this.world = world;
    this.id = id;
    this.troubledMs = world.clock.monotonicMs();
    this.clock = new ProcessClock(world.clock);
    const probe: TaskExecutors['probe'] = (spec, context) =>
      new Promise((resolve, reject) => {
        const key = context.scratch.replace('/scratch/', '');
        const over = (settle: () => void) => {
          if (this.works.delete(key)) settle();
        };
        this.works.set(key, {
          context,
          key,
          finish(how) {
            const failure = { code: how, reason: `it is ${how}`, retryable: how === 'retryable' };
            if (how === 'crash') over(() => reject(new Error(`crashed at ${spec.source}`)));
            else over(() => resolve(how === 'done' ? ok(aProbeResult()) : err(failure)));
          },
        });
        const stop = () => this.clock.after(200, () => over(() => reject(context.signal.reason as Error)));
        context.signal.addEventListener('abort', stop);
      });
    this.worker = new JobWorker({
      leases: this.#line(),
      workerId: id,
      slots: 2,
      scratchBytes: 1_000,
      executors: { probe },
      store: openMemoryStore(),
      scratch: this.scratch,
      clock: this.clock,
      log: silentLogger,
      metrics: createTranscodeMetrics(openMetricsRegistry({ processMetrics: false })),
      isSpare: () => true,
      random: () => 0.5,
    });
  }

  /** How long nothing has come between it and the desk, ms. */
  get quietMs(): number {
    const troubled = this.cut || this.standing || this.fuse !== undefined || this.losing > 0;
    return troubled ? 0 : this.world.clock.monotonicMs() - this.troubledMs;
  }

  kill(): void {
    this.alive = false;
    this.clock.kill();
    this.#unplug.abort();
  }
  unplug(): void {
    this.cut = true;
    this.#unplug.abort();
    this.#unplug = new AbortController();
  }

  /** The desk as this process reaches it. */
  #line(): JobLeases {
    const { desk } = this.world;
    return {
      lease: (request, signal) => {
        const given = AbortSignal.any([signal, this.#unplug.signal]);
        return this.#call(() => desk.lease(request, given));
      },
      report: (workerId, reports) =>
        this.#call(async () => {
          const standings = await desk.report(workerId, reports);
          if (standings.ok) reports.forEach((held, i) => this.world.answered(this, held, standings.value[i]));
          return standings;
        }),
      end: (workerId, end) =>
        this.#call(async () => {
          const mine = this.world.holds(this, end);
          const standing = await desk.end(workerId, end);
          if (standing.ok) this.world.ended(this, end, standing.value, mine);
          return standing;
        }),
      stops: (workerId, signal) => this.#stops(workerId, signal),
    };
  }

  async *#stops(workerId: string, signal: AbortSignal) {
    const process = this.#unplug.signal;
    if (this.cut) throw new Error('the line is cut');
    for await (const order of this.world.desk.stops(workerId, AbortSignal.any([signal, process]))) {
      if (!this.alive) return;
      yield order;
    }
    if (process.aborted) throw new Error('the line was cut');
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    const burnt = this.fuse !== undefined && this.fuse.calls-- <= 0;
    if (burnt && this.fuse?.after === false) this.kill();
    if (!this.alive) return new Promise<T>(() => {});
    if (this.cut) throw new Error('the line is cut');
    const answer = await call();
    if (burnt) this.kill();
    if (!this.alive) return new Promise<T>(() => {});
    if (!this.cut && this.losing-- <= 0) return answer;
    this.troubledMs = this.world.clock.monotonicMs();
    throw new Error('the answer was lost');
  }
}

class World {
  readonly clock = new ManualClock();
  readonly desk = createMemoryJobLeases(this.clock);
  readonly processes: WorkerProcess[] = [];
  readonly cancelledMs = new Map<string, number>();
  /** Whom the desk believed, by lease. */
  readonly believed = new Map<string, Set<string>>();
  #tasks = 0;
  troubledMs = -Infinity;

  get living(): WorkerProcess[] {
    return this.processes.filter((process) => process.alive);
  }
  start(): void {
    if (this.living.length < 3) this.processes.push(new WorkerProcess(this, `worker-${this.processes.length}`));
  }
  add(): void {
    this.desk.add(aProbeTask(`task-${this.#tasks++}`));
  }
  cancel(at: number): void {
    const id = `task-${at % Math.max(1, this.#tasks)}`;
    this.desk.cancel(id);
    if (this.desk.tasks.has(id) && !this.cancelledMs.has(id)) this.cancelledMs.set(id, this.clock.monotonicMs());
  }

  holds(process: WorkerProcess, held: { task_id: string; fence: number }): boolean {
    this.desk.sweep();
    const task = this.desk.tasks.get(held.task_id);
    const { state } = task ?? {};
    if (state?.kind === 'leased') return state.workerId === process.id && task?.fence === held.fence;
    return false;
  }
  answered(process: WorkerProcess, held: { task_id: string; fence: number }, standing: string | undefined): void {
    if (standing !== 'taken') return;
    const key = `${held.task_id}.${held.fence}`;
    this.believed.set(key, (this.believed.get(key) ?? new Set()).add(process.id));
  }
  ended(process: WorkerProcess, end: TaskEnd, standing: string, mine: boolean): void {
    this.answered(process, end, standing);
    const { state, fence } = this.desk.tasks.get(end.task_id)!;
    const again = end.kind === 'done' && state.kind === 'done' && state.workerId === process.id && fence === end.fence;
    if (!mine && !again) expect([end, standing]).toEqual([end, 'lost']);
    if (end.kind === 'stopped') expect(process.works.has(`${end.task_id}.${end.fence}`)).toBe(false);
    if (process.scratch.left.has(`${end.task_id}.${end.fence}`)) throw new Error('its scratch folder is still there');
  }

  check(): void {
    for (const [key, workers] of this.believed) expect([key, workers.size]).toEqual([key, 1]);
    for (const [id, { taken, state, fence }] of this.desk.tasks) {
      expect(taken.filter((end) => end.kind === 'done').length).toBeLessThanOrEqual(1);
      const sinceMs = this.clock.monotonicMs() - (this.cancelledMs.get(id) ?? Infinity);
      // Told to stop, heard for one more lease at most, silent for another.
      if (sinceMs > 2 * jobLeaseMs + 200)
        expect([id, state.kind === 'leased' || state.kind === 'waiting']).toEqual([id, false]);
      const holder = state.kind === 'leased' ? this.living.find((process) => process.id === state.workerId) : undefined;
      const quietMs = Math.min(this.clock.monotonicMs() - this.troubledMs, holder?.quietMs ?? 0);
      // Orders are listened for again 2 s after trouble at the latest.
      if (sinceMs > 1_000 && quietMs > sinceMs + 3_000) expect([id, holder?.id]).toEqual([id, undefined]);
      // A process that is able to has stopped by the time that its task is another's.
      for (const process of this.living.filter((each) => !each.standing)) {
        for (const work of process.works.values()) {
          const [, theirs] = work.key.split('.');
          if (!work.key.startsWith(`${id}.`) || Number(theirs) >= fence || process.fuse !== undefined) continue;
          expect([work.key, fence, work.context.signal.aborted]).toEqual([work.key, fence, true]);
        }
      }
    }
  }
}

const who = fc.nat(2);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4_000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      who,
      how: fc.constantFrom('done' as const, 'done' as const, 'retryable' as const, 'fatal' as const, 'crash' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), task: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fuse' as const), who, calls: fc.nat(5), after: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mend' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('lose' as const), who, answers: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stand' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), ms: fc.nat(3_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -1e7, max: 1e7 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, next: Step): Promise<void> {
  const process = 'who' in next ? world.living[next.who % Math.max(1, world.living.length)] : undefined;
  if (process && next.do !== 'finish') process.troubledMs = world.clock.monotonicMs();
  switch (next.do) {
    case 'pass':
      return world.clock.advance(next.ms);
    case 'add':
      return world.add();
    case 'start':
      return world.start();
    case 'cancel':
      return world.cancel(next.task);
    case 'finish':
      return [...(process?.works.values() ?? [])][0]?.finish(next.how);
    case 'kill':
      return process?.kill();
    case 'fuse':
      if (process) process.fuse = { calls: next.calls, after: next.after };
      return;
    case 'cut':
      return process?.unplug();
    case 'mend':
      return mend(process);
    case 'lose':
      if (process) process.losing = next.answers;
      return;
    case 'stand':
      if (process) process.standing = true;
      return process?.clock.stand();
    case 'drain': {
      mend(process);
      void process?.worker[Symbol.asyncDispose]();
      return;
    }
    case 'restart':
      world.desk.failWith({ kind: 'unavailable', message: 'progress restarts' });
      await world.clock.advance(next.ms);
      world.troubledMs = world.clock.monotonicMs();
      return world.desk.failWith(undefined);
    case 'jump':
      return world.clock.jumpWall(next.ms);
  }
}

function mend(process: WorkerProcess | undefined): void {
  if (process === undefined) return;
  process.cut = false;
  process.losing = 0;
  process.standing = false;
  process.clock.goOn();
}

describe('the leases of tasks, whatever comes between', () => {
  it('have each effect taken once, one worker to a fence, cancels that end, and in the end nothing left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = new World();
        world.start();
        world.start();
        for (const next of steps) {
          await take(world, next);
          await world.clock.advance(0);
          world.check();
        }
        // The trouble is over: a sound worker is there, and whatever is begun is finished.
        for (const process of world.living) {
          process.fuse = undefined;
          mend(process);
        }
        for (const process of world.living)
          await Promise.race([process.worker[Symbol.asyncDispose](), world.clock.advance(6_000)]);
        expect(world.living.map((process) => [process.worker.running, process.scratch.left.size])).toEqual(
          world.living.map(() => [0, 0]),
        );
        for (const process of world.living) process.kill();
        world.start();
        for (let i = 0; i < 40; i++) {
          await world.clock.advance(500);
          for (const work of world.living[0]!.works.values()) work.finish('done');
        }
        world.check();
        for (const [id, { state }] of world.desk.tasks) {
          expect([id, state.kind]).toEqual([id, expect.stringMatching(/^(done|failed|cancelled)$/)]);
        }
        world.living[0]!.kill();
        world.desk[Symbol.dispose]();
      }),
      { numRuns: 60 },
    );
  });
});
