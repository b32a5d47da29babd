/** From the progress of tasks to that of their steps and of the whole job. All progress is in percent, 0..100. */
import { err, ok, type Result } from '@millrace/result';

/** Room for what adding fractions like 33.3 leaves, percent. */
const weightTolerance = 1e-6;
/** Shown at most until the job really is completed. */
const mostBeforeTheEnd = 99.9;

export interface WeightedStep {
  readonly name: string;
  /** Share of the whole as planned, percent. */
  readonly weight: number;
}

export type WeightMistake =
  | { readonly kind: 'no-steps'; readonly message: string }
  | { readonly kind: 'name-twice'; readonly message: string }
  | { readonly kind: 'bad-weight'; readonly message: string }
  | { readonly kind: 'bad-sum'; readonly message: string };

/** Checks that the steps have names of their own and weights of at least 0 that sum to 100. */
export function checkWeights(steps: readonly WeightedStep[]): Result<void, WeightMistake> {
  if (steps.length === 0) return err({ kind: 'no-steps', message: 'expected at least one step, got none' });
  const names = new Set<string>();
  let sum = 0;
  for (const { name, weight } of steps) {
    if (names.has(name))
      return err({ kind: 'name-twice', message: `expected steps of different names, got ${name} twice` });
    names.add(name);
    if (!Number.isFinite(weight) || weight < 0) {
      return err({ kind: 'bad-weight', message: `step ${name}: expected a weight from 0 to 100, got ${weight}` });
    }
    sum += weight;
  }
  if (Math.abs(sum - 100) <= weightTolerance) return ok();
  return err({ kind: 'bad-sum', message: `expected weights that sum to 100, got ${sum}` });
}

/**
 * The weights as they count, in the order of `steps`, summing to 100: a skipped step has none, and its own is shared out among the
 * others in proportion to theirs. When all are skipped the planned ones stand.
 */
export function shareOutWeights(steps: readonly (WeightedStep & { readonly skipped: boolean })[]): number[] {
  const kept = steps.filter((step) => !step.skipped);
  if (kept.length === 0 || kept.length === steps.length) return steps.map((step) => step.weight);
  const sum = kept.reduce((total, step) => total + step.weight, 0);
  return steps.map((step) => {
    if (step.skipped) return 0;
    return sum > 0 ? (step.weight / sum) * 100 : 100 / kept.length;
  });
}

export interface TaskShare {
  /** Its part of the step, any unit. */
  readonly share: number;
  /** 0..1. */
  readonly done: number;
}

/** Progress of a step: the mean of its tasks, weighted by share (evenly when no task has one). Without tasks: 0. */
export function stepProgress(tasks: readonly TaskShare[]): number {
  if (tasks.length === 0) return 0;
  const total = tasks.reduce((sum, task) => sum + task.share, 0);
  const share = (task: TaskShare) => (total > 0 ? task.share / total : 1 / tasks.length);
  return clampPercent(tasks.reduce((sum, task) => sum + share(task) * task.done, 0) * 100);
}

export interface StepShare extends WeightedStep {
  readonly skipped: boolean;
  /** 0..100. */
  readonly progress: number;
}

/**
 * Progress of the job: never below `before`, whatever reports say and however weights move, never above 100, and 100 only once
 * it is `completed`.
 */
export function overallProgress(steps: readonly StepShare[], before: number, completed: boolean): number {
  if (completed) return 100;
  const weights = shareOutWeights(steps);
  const now = steps.reduce((sum, step, at) => {
    const weight = weights[at] ?? 0;
    return sum + (weight / 100) * clampPercent(step.skipped ? 0 : step.progress);
  }, 0);
  return Math.max(clampPercent(before), Math.min(mostBeforeTheEnd, Math.floor(now * 100) / 100));
}

/** `value` as a percentage: 0 where it is not a number. */
export function clampPercent(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(100, Math.max(0, value));
}
