import type { LeasedTask, LeaseRequest, StopOrder, TaskEnd, TaskReport } from '@millrace/api';
import type { Clock } from '@millrace/clock';
import { err, ok, type Result } from '@millrace/result';
import { type JobLeases, jobLeaseMs, type LeaseFailure, type LeaseStanding } from '../job-leases.ts';

export type MemoryTaskState =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'leased';
      readonly workerId: string;
      readonly renewedMs: number;
      /** When it was told to stop. */
      readonly cancelledMs: number | undefined;
    }
  | { readonly kind: 'done'; readonly workerId: string; readonly fence: number }
  | { readonly kind: 'failed' | 'cancelled' };

export interface MemoryTask {
  readonly given: Omit<LeasedTask, 'fence'>;
  state: MemoryTaskState;
  /** Of the newest lease; 0: never leased. */
  fence: number;
  /** Newest report. */
  done: number;
  phase: string | undefined;
  /** Ends that were taken, in order; at most one of them is `done`. */
  readonly taken: TaskEnd[];
}

export interface MemoryJobLeases extends JobLeases, Disposable {
  readonly tasks: ReadonlyMap<string, MemoryTask>;
  add(task: Omit<LeasedTask, 'fence'>): void;
  cancel(taskId: string): void;
  /** Answers further calls with this failure and breaks the stop orders; undefined: works again. */
  failWith(failure: LeaseFailure | undefined): void;
  /** Lets leases lapse whose time is over; a timer does it as well. */
  sweep(): void;
}

interface Waiting {
  readonly request: LeaseRequest;
  readonly give: (tasks: Result<readonly LeasedTask[], LeaseFailure>) => void;
}

/** How often lapsed leases are looked for, ms. */
const sweepMs = 100;

/** The desk of a few tasks in memory: leases, fences, lapses and stop orders as progress has them, without jobs around them. */
export function createMemoryJobLeases(clock: Clock): MemoryJobLeases {
  const tasks = new Map<string, MemoryTask>();
  const waiting = new Set<Waiting>();
  const listeners = new Map<string, Set<(order: StopOrder | 'broken') => void>>();
  let failure: LeaseFailure | undefined;

  const tell = (workerId: string, order: StopOrder) => {
    for (const listener of listeners.get(workerId) ?? []) listener(order);
  };
  const ordersOf = (workerId: string): readonly StopOrder[] =>
    [...tasks.values()].flatMap(({ given, fence, state }) =>
      state.kind === 'leased' && state.workerId === workerId && state.cancelledMs !== undefined
        ? [{ task_id: given.task_id, fence, reason: 'cancelled' as const }]
        : [],
    );
  /** The task, when `workerId` has its lease `fence`. */
  const heldBy = (workerId: string, held: { readonly task_id: string; readonly fence: number }) => {
    const task = tasks.get(held.task_id);
    const { state } = task ?? {};
    const mine = state?.kind === 'leased' && state.workerId === workerId && task?.fence === held.fence;
    return mine ? { task, state } : undefined;
  };
  const free = (task: MemoryTask, cancelling: boolean) => {
    task.state = { kind: cancelling ? 'cancelled' : 'waiting' };
  };

  function take({ worker_id: workerId, slots, kinds }: LeaseRequest): readonly LeasedTask[] {
    const fit = [...tasks.values()].filter(({ state, given }) => {
      return state.kind === 'waiting' && kinds.includes(given.spec.kind);
    });
    return fit.slice(0, slots).map((task) => {
      task.fence++;
      task.state = { kind: 'leased', workerId, renewedMs: clock.monotonicMs(), cancelledMs: undefined };
      return { ...task.given, fence: task.fence };
    });
  }

  function sweep(): void {
    for (const task of tasks.values()) {
      const { state, given, fence } = task;
      if (state.kind !== 'leased' || clock.monotonicMs() - state.renewedMs < jobLeaseMs) continue;
      free(task, state.cancelledMs !== undefined);
      tell(state.workerId, { task_id: given.task_id, fence, reason: 'lost' });
    }
    for (const each of waiting) {
      const leased = take(each.request);
      if (leased.length > 0) each.give(ok(leased));
    }
  }
  const sweeping = clock.every(sweepMs, sweep);

  function end(workerId: string, ended: TaskEnd): LeaseStanding {
    const lease = heldBy(workerId, ended);
    if (lease === undefined) {
      const { state } = tasks.get(ended.task_id) ?? {};
      const again = ended.kind === 'done' && state?.kind === 'done';
      return again && state.workerId === workerId && state.fence === ended.fence ? 'taken' : 'lost';
    }
    const { task, state } = lease;
    task.taken.push(ended);
    if (state.cancelledMs !== undefined) task.state = { kind: 'cancelled' };
    else if (ended.kind === 'done') task.state = { kind: 'done', workerId, fence: ended.fence };
    else if (ended.kind === 'failed' && !ended.failure.retryable) task.state = { kind: 'failed' };
    else free(task, false);
    sweep();
    return 'taken';
  }

  function report(workerId: string, { done, phase, ...held }: TaskReport): LeaseStanding {
    const lease = heldBy(workerId, held);
    if (lease === undefined) return 'lost';
    const { task, state } = lease;
    // Who was told to stop and goes on reporting is not believed for ever.
    if (state.cancelledMs !== undefined && clock.monotonicMs() - state.cancelledMs >= jobLeaseMs) return 'lost';
    task.state = { ...state, renewedMs: clock.monotonicMs() };
    task.done = Math.max(task.done, done ?? 0);
    task.phase = phase ?? task.phase;
    return 'taken';
  }

  return {
    tasks,
    sweep,
    add(given) {
      const fresh: MemoryTask = { given, state: { kind: 'waiting' }, fence: 0, done: 0, phase: undefined, taken: [] };
      tasks.set(given.task_id, fresh);
      sweep();
    },
    cancel(taskId) {
      const task = tasks.get(taskId);
      if (task?.state.kind === 'waiting') task.state = { kind: 'cancelled' };
      if (task?.state.kind !== 'leased') return;
      task.state = { ...task.state, cancelledMs: task.state.cancelledMs ?? clock.monotonicMs() };
      tell(task.state.workerId, { task_id: taskId, fence: task.fence, reason: 'cancelled' });
    },
    failWith(next) {
      failure = next;
      if (next === undefined) return;
      for (const each of waiting) each.give(err(next));
      for (const each of [...listeners.values()].flatMap((some) => [...some])) each('broken');
    },
    async lease(request, signal) {
      if (failure) return err(failure);
      sweep();
      const leased = signal.aborted ? [] : take(request);
      if (leased.length > 0 || request.wait_ms === 0 || signal.aborted) return ok(leased);
      return new Promise((resolve) => {
        const give: Waiting['give'] = (given) => {
          waiting.delete(entry);
          timer.cancel();
          signal.removeEventListener('abort', none);
          resolve(given);
        };
        const none = () => give(ok([]));
        const timer = clock.after(request.wait_ms, none);
        const entry: Waiting = { request, give };
        waiting.add(entry);
        signal.addEventListener('abort', none, { once: true });
      });
    },
    async report(workerId, reports) {
      if (failure) return err(failure);
      sweep();
      return ok(reports.map((each) => report(workerId, each)));
    },
    async end(workerId, ended) {
      if (failure) return err(failure);
      sweep();
      return ok(end(workerId, ended));
    },
    async *stops(workerId, signal) {
      if (failure) throw new Error(failure.message);
      const queue: (StopOrder | 'broken')[] = [...ordersOf(workerId)];
      let wake = () => {};
      const push = (order: StopOrder | 'broken') => {
        queue.push(order);
        wake();
      };
      const mine = listeners.get(workerId) ?? new Set();
      listeners.set(workerId, mine.add(push));
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort);
      try {
        while (!signal.aborted) {
          const order = queue.shift();
          if (order === 'broken') throw new Error('the stop orders broke');
          if (order !== undefined) yield order;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        mine.delete(push);
        signal.removeEventListener('abort', onAbort);
      }
    },
    [Symbol.dispose]: () => sweeping.cancel(),
  };
}
