/** When a task that did not get done is tried again, and when that has an end. */

export interface RetryPolicy {
  /** Attempts that may fail by themselves before the task is given up. */
  readonly maxFailures: number;
  /** Leases that may lapse (a worker died or was cut off) before it is given up: more, as they say little of the task. */
  readonly maxLapses: number;
  /** Pause before the second attempt, ms; doubles with each failure. */
  readonly baseMs: number;
  /** Longest pause, ms. */
  readonly capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { maxFailures: 3, maxLapses: 10, baseMs: 1_000, capMs: 60_000 };

export type RetryVerdict =
  | { readonly kind: 'again'; readonly delayMs: number }
  | { readonly kind: 'given-up'; readonly because: 'failures' | 'lapses' };

/** What follows for a task that has failed `failures` times and whose leases lapsed `lapses` times. `random` is in [0, 1). */
export function retryVerdict(
  policy: RetryPolicy,
  counts: { readonly failures: number; readonly lapses: number },
  random: number,
): RetryVerdict {
  if (counts.failures >= policy.maxFailures) return { kind: 'given-up', because: 'failures' };
  if (counts.lapses >= policy.maxLapses) return { kind: 'given-up', because: 'lapses' };
  // a first lapse is the worker's death: the work goes on elsewhere at once
  const rounds = counts.failures + Math.max(0, counts.lapses - 1);
  return { kind: 'again', delayMs: rounds === 0 ? 0 : pauseMs(policy, rounds - 1, random) };
}

/** Between half and all of the doubled pause, so that what failed together does not return together. */
function pauseMs(policy: RetryPolicy, round: number, random: number): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(round, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
