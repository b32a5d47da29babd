/**
 * The states of a job and of its tasks, with every arrow there is. An arrow that is not here does not exist: `moveJob` and
 * `moveTask` refuse it, in any interleaving of what workers, users and clocks say.
 */
import { err, ok, type Result } from '@millrace/result';

export const jobStates = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];
/** `start`: the first task was leased. */
export const jobSignals = ['start', 'complete', 'fail', 'cancel'] as const;
export type JobSignal = (typeof jobSignals)[number];

/** Why a signal does not apply: the job is elsewhere. */
export interface MoveRefusal<State extends string, Signal extends string> {
  readonly kind: 'not-allowed';
  readonly state: State;
  readonly signal: Signal;
  readonly message: string;
}

type Arrows<State extends string, Signal extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Signal, State>>>>
>;

const jobArrows: Arrows<JobState, JobSignal> = {
  pending: { start: 'processing', fail: 'failed', cancel: 'cancelled' },
  processing: { complete: 'completed', fail: 'failed', cancel: 'cancelled' },
  completed: {},
  failed: {},
  cancelled: {},
};

/** The state of a job after `signal`. */
export function moveJob(state: JobState, signal: JobSignal): Result<JobState, MoveRefusal<JobState, JobSignal>> {
  return move(jobArrows, state, signal, 'job');
}

/** Whether nothing more can happen to a job. */
export function jobHasEnded(state: JobState): boolean {
  return Object.keys(jobArrows[state]).length === 0;
}

/**
 * `waiting`: for other tasks, or for the job before it in the same slot. `ready`: may be leased. `failed`: for good.
 * `cancelled`: its job ended without it.
 */
export const taskStates = ['waiting', 'ready', 'leased', 'done', 'failed', 'cancelled'] as const;
export type TaskState = (typeof taskStates)[number];
/** `release`: what it waited for is there. `requeue`: the lease ended without a result, and another attempt follows. */
export const taskSignals = ['release', 'lease', 'requeue', 'finish', 'fail', 'cancel'] as const;
export type TaskSignal = (typeof taskSignals)[number];

const taskArrows: Arrows<TaskState, TaskSignal> = {
  waiting: { release: 'ready', cancel: 'cancelled' },
  ready: { lease: 'leased', cancel: 'cancelled' },
  leased: { requeue: 'ready', finish: 'done', fail: 'failed', cancel: 'cancelled' },
  done: {},
  failed: {},
  cancelled: {},
};

/** The state of a task after `signal`. */
export function moveTask(state: TaskState, signal: TaskSignal): Result<TaskState, MoveRefusal<TaskState, TaskSignal>> {
  return move(taskArrows, state, signal, 'task');
}

/** Whether nothing more can happen to a task. */
export function taskHasEnded(state: TaskState): boolean {
  return Object.keys(taskArrows[state]).length === 0;
}

function move<State extends string, Signal extends string>(
  arrows: Arrows<State, Signal>,
  state: State,
  signal: Signal,
  what: string,
): Result<State, MoveRefusal<State, Signal>> {
  const next = arrows[state][signal];
  if (next !== undefined) return ok(next);
  const allowed = Object.keys(arrows[state]).join(', ') || 'nothing: it has ended';
  return err({
    kind: 'not-allowed',
    state,
    signal,
    message: `a ${what} that is ${state} allows ${allowed}; got ${signal}`,
  });
}
