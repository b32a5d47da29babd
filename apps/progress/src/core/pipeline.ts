/**
 * What one kind of job is made of. A pipeline is pure: the engine asks it what is to be done and stores what it answers, so the
 * same job planned twice has the same tasks.
 */
import type { TaskResult, TaskSpec } from '@millrace/api';
import type { JobKind } from '@millrace/events';

/** A step as the user sees it. Weights of a plan sum to 100. */
export interface PlannedStep {
  readonly name: string;
  readonly weight: number;
  /** Words shown while it runs: "encoding the ladder". */
  readonly phase: string;
}

/** One unit of leased work. */
export interface PlannedTask {
  /** Unique in the job and made of what the task is: `span/720p/3`. */
  readonly key: string;
  readonly step: string;
  /** Its part of the step, any unit: a step's progress is the mean of its tasks' weighted by share. */
  readonly share: number;
  readonly spec: TaskSpec;
  /** Keys of the tasks whose results it needs; it can be leased once all of them are done, and gets their results in this order. */
  readonly after: readonly string[];
  /** Smaller goes first among the leasable tasks of a job; default 0. */
  readonly rank?: number;
  /** Its failure for good skips the step, with the reason, and shares out the step's weight, rather than failing the job. */
  readonly optional?: boolean;
}

export interface JobPlan {
  readonly steps: readonly PlannedStep[];
  readonly tasks: readonly PlannedTask[];
}

export interface TaskOutcome {
  readonly key: string;
  readonly spec: TaskSpec;
  /** Undefined: an optional task that failed for good. */
  readonly result: TaskResult | undefined;
}

/** What follows from a finished task. Tasks whose key the job knows already are left as they are. */
export interface Advance {
  readonly tasks: readonly PlannedTask[];
  /** Steps that turned out to have nothing to do: shown as skipped, their weight shared out among the others. */
  readonly skipped: readonly { readonly step: string; readonly reason: string }[];
}

/**
 * A step is completed when it has tasks and all of them are done, and at the latest when the job has no open task left; then the
 * job is completed. So `advance` plans everything that follows from a result at once.
 */
export interface Pipeline<Request = unknown> {
  readonly kind: JobKind;
  /**
   * How long steps usually take beside one another, any unit, by name: for the estimate of the end. Weights are what users are shown, and
   * may be far from that. Steps that are missing, and kinds without it, count with their weights.
   */
  readonly effort?: Readonly<Record<string, number>>;
  /** `request` is what `submit` was given, kept with the job. Throws on one it did not make itself (a bug). */
  plan(request: Request): JobPlan;
  /** `done` are all outcomes so far, `finished` included. */
  advance(request: Request, finished: TaskOutcome, done: ReadonlyMap<string, TaskOutcome>): Advance;
}
