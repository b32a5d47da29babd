import type { LeasedTask, StopOrder, TaskEnd, TaskKind } from '@millrace/api';
import { sleep } from '@millrace/clock';
import { type JobLeases, jobLeaseMs } from '@millrace/handover';
import { Background, backoffMs } from '@millrace/lifecycle';
import { textOf } from '../core/lease-book.ts';
import type { ScratchSpace } from '../core/scratch.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LeaseLine, type LeaseLineOptions } from './lease-line.ts';
import { TaskRun, type TaskRunDeps } from './task-run.ts';

export interface JobWorkerOptions extends TaskRunDeps, LeaseLineOptions {
  readonly leases: JobLeases;
  /** Tasks at a time, 1..64. */
  readonly slots: number;
  /** Most bytes that all tasks may have in scratch together. */
  readonly scratchBytes: number;
  /** False: live work needs the machine, so no further task is taken now. */
  readonly isSpare: () => boolean;
  /** In [0, 1): the jitter of retries. */
  readonly random: () => number;
}

/** How long a lease request may be held, ms. */
const waitMs = 20_000;
/** How often scratch space is measured, and a worker without room looks again, ms. */
const lookMs = 1_000;
/** Less than this on the disk, and no further task is taken, bytes. */
const leastFreeBytes = 256 * 1024 * 1024;
/** A task that is told to stop and runs on is no longer renewed after this, ms: its lease lapses. */
const patienceMs = jobLeaseMs;
/** Stop orders that came before their task, the newest. */
const mostEarly = 256;

/** Leases tasks while it has slots free, does them, and stops them when it is told to or out of touch. */
export class JobWorker implements AsyncDisposable {
  readonly #options: JobWorkerOptions;
  readonly #kinds: TaskKind[];
  readonly #line: LeaseLine;
  readonly #keeper: LeaseKeeper;
  readonly #runs = new Map<string, TaskRun>();
  /** Runs and last words that are not over. */
  readonly #open = new Set<Promise<void>>();
  readonly #early = new Set<string>();
  readonly #stuck = new WeakSet<TaskRun>();
  readonly #leasing: Background;
  readonly #loops: readonly Background[];
  #freed = () => {};
  #scratchUsed = 0;
  #draining = false;

  constructor(options: JobWorkerOptions) {
    this.#options = options;
    this.#kinds = Object.keys(options.executors) as TaskKind[];
    this.#line = new LeaseLine(options);
    this.#keeper = new LeaseKeeper({
      ...options,
      line: this.#line,
      onGone: (key, why) => this.#runs.get(textOf(key))?.stop(why),
    });
    const loop = (name: string, run: (signal: AbortSignal) => Promise<void>) =>
      new Background(run, (error) => options.log.error('job-loop-crashed', { loop: name, error }));
    this.#leasing = loop('lease', (signal) => this.#leaseTasks(signal));
    this.#loops = [loop('stops', (signal) => this.#hearStops(signal)), loop('look', (signal) => this.#look(signal))];
  }

  /** Tasks that are at work, or whose end is being said. */
  get running(): number {
    return this.#runs.size;
  }
  /** Bytes, as of the last look. */
  get scratchUsed(): number {
    return this.#scratchUsed;
  }
  /** How long progress has not answered, ms; 0: it does. */
  get outOfTouchMs(): number {
    return this.#line.outOfTouchMs;
  }

  /** Gives every task back and waits until nothing of them is left here. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    const leased = this.#leasing[Symbol.asyncDispose]();
    this.#freed();
    for (const run of this.#runs.values()) run.stop('draining');
    await leased;
    while (this.#open.size > 0) await Promise.all(this.#open);
    await Promise.all(this.#loops.map((loop) => loop[Symbol.asyncDispose]()));
    await this.#keeper[Symbol.asyncDispose]();
  }

  async #leaseTasks(signal: AbortSignal): Promise<void> {
    const { slots, random, clock } = this.#options;
    for (let failures = 0; !signal.aborted && this.#kinds.length > 0; ) {
      if (!(await this.#hasRoom(signal))) continue;
      const askedMs = clock.monotonicMs();
      // After a failure an answer at once, to know that progress is there again.
      const request = { slots: slots - this.#runs.size, kinds: this.#kinds, wait_ms: failures === 0 ? waitMs : 0 };
      const leased = await this.#line.lease(request, signal);
      if (!leased.ok) {
        await sleep(clock, backoffMs(failures++, 100, 2_000, random()), signal);
        continue;
      }
      failures = 0;
      for (const task of leased.value) this.#start(task);
      // Nothing, and at once: something between us and progress does not hold answers.
      if (leased.value.length === 0 && clock.monotonicMs() - askedMs < 50) await sleep(clock, 250, signal);
    }
  }

  /** True when a task can be taken now; else waits for what may change that. */
  async #hasRoom(signal: AbortSignal): Promise<boolean> {
    const { slots, isSpare, scratch, metrics, clock } = this.#options;
    if (this.#runs.size >= slots) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
      return false;
    }
    const why = !isSpare() ? 'live-work' : (await freeBytes(scratch)) < leastFreeBytes ? 'scratch-full' : undefined;
    if (why === undefined) return true;
    metrics.leaseHolds.inc({ reason: why });
    await sleep(clock, lookMs, signal);
    return false;
  }

  #start(task: LeasedTask): void {
    const key = textOf(task);
    if (this.#early.has(key) || this.#runs.has(key)) return;
    if (this.#draining) return this.#say({ kind: 'returned', task_id: task.task_id, fence: task.fence });
    this.#keeper.add(task);
    const run = new TaskRun(this.#options, task, (done, phase) => this.#keeper.progress(task, done, phase));
    this.#runs.set(key, run);
    this.#follow(this.#finish(run));
  }

  /** Waits for the end of a run and says it, for as long as somebody listens. */
  async #finish(run: TaskRun): Promise<void> {
    const { metrics, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const end = await run.over;
    const nowMs = clock.monotonicMs();
    metrics.taskSeconds.observe({ kind: run.kind }, (nowMs - startedMs) / 1_000);
    const { stopped } = run;
    if (stopped) metrics.taskStopSeconds.observe({ reason: stopped.reason }, (nowMs - stopped.atMs) / 1_000);
    const outcome = end === undefined ? (stopped?.reason ?? 'lost') : await this.#keeper.end(end);
    metrics.tasks.inc({ kind: run.kind, outcome });
    this.#runs.delete(textOf(run.task));
    this.#freed();
  }

  /** Says once how a task ended that does not run here; unheard, its lease lapses. */
  #say(end: TaskEnd): void {
    this.#follow(this.#line.end(end).then(() => {}));
  }

  #follow(work: Promise<void>): void {
    const followed = work
      .catch((error: unknown) => this.#options.log.error('task-end-crashed', { error }))
      .finally(() => this.#open.delete(followed));
    this.#open.add(followed);
  }

  async #hearStops(signal: AbortSignal): Promise<void> {
    const { leases, workerId, random, log, metrics, clock } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const openedMs = clock.monotonicMs();
      try {
        for await (const order of leases.stops(workerId, signal)) this.#obey(order);
      } catch (error) {
        metrics.leaseCallsFailed.inc({ reason: 'stops' });
        log.warn('stop-orders-broke', { error });
      }
      if (clock.monotonicMs() - openedMs > 10_000) failures = 0;
      await sleep(clock, backoffMs(failures++, 100, 2_000, random()), signal);
    }
  }

  #obey(order: StopOrder): void {
    const key = textOf(order);
    const run = this.#runs.get(key);
    if (run !== undefined) return run.stop(order.reason);
    if (this.#early.has(key)) return;
    // The answer that brings the task is under way, or was lost: should it come, it is not begun.
    this.#early.add(key);
    const [oldest] = this.#early;
    if (this.#early.size > mostEarly && oldest !== undefined) this.#early.delete(oldest);
    if (order.reason === 'cancelled') this.#say({ kind: 'stopped', task_id: order.task_id, fence: order.fence });
  }

  /** Once a second: lets go of tasks that do not stop, and keeps scratch space below its limit. */
  async #look(signal: AbortSignal): Promise<void> {
    const { scratch, scratchBytes, clock } = this.#options;
    while (!signal.aborted) {
      await sleep(clock, lookMs, signal);
      for (const run of this.#runs.values()) if (isStuck(run, clock.monotonicMs())) this.#letGo(run);
      if (this.#runs.size === 0 && this.#scratchUsed === 0) continue;
      const used = [...(await scratch.measure())].sort(([, a], [, b]) => b - a);
      this.#scratchUsed = used.reduce((sum, [, bytes]) => sum + bytes, 0);
      if (this.#scratchUsed > scratchBytes) this.#runs.get(used[0]?.[0] ?? '')?.stop('scratch-full');
    }
  }

  #letGo(run: TaskRun): void {
    if (this.#stuck.has(run)) return;
    this.#stuck.add(run);
    const { task, kind } = run;
    this.#keeper.abandon(task);
    this.#options.metrics.tasksStuck.inc({ kind });
    this.#options.log.error('task-does-not-stop', { task_id: task.task_id, fence: task.fence, kind });
  }
}

/** A disk that cannot even be asked has no room. */
async function freeBytes(scratch: ScratchSpace): Promise<number> {
  return scratch.freeBytes().catch(() => 0);
}

function isStuck({ settled, stopped }: TaskRun, nowMs: number): boolean {
  return !settled && stopped !== undefined && nowMs - stopped.atMs > patienceMs;
}
