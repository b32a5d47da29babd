/**
 * How long a job will still take. Once a run has shown enough of itself, from its own smoothed rate over the work that is done (progress
 * in which each step counts for as long as it usually takes, whatever its weight for the user);
 * before, from what earlier runs of the kind took. The rate forgets over a third of the time that the job ran, so that an estimate is
 * steady in a long job and quick in a short one; while nothing moves it grows, because the rate falls, and at last there is none.
 */

/** What is remembered of a run's progress; plain data, kept with the job. */
export interface Pace {
  /** Time of the first observation, ms since 1970. */
  readonly sinceMs: number;
  /** Time of the newest one. */
  readonly atMs: number;
  /** Work done at the first and at the newest one, percent. */
  readonly from: number;
  readonly progress: number;
  /** Smoothed, percent for each ms. */
  readonly rate: number;
}

export interface Estimate {
  readonly etaMs: number;
  readonly basis: 'this-run' | 'earlier-runs';
}

/** This run's rate counts from this much progress (percent) in this much time (ms) on. */
const leastProgress = 3;
const leastRunMs = 2_000;
const leastMemoryMs = 2_000;
/** What is left of a rate when a run counts as stalled: four times its memory went by. */
const stalled = Math.exp(-4);
/** A longer estimate is none, ms. */
const longestEtaMs = 7 * 24 * 3_600_000;

/** Notes that `progress` percent of the work was done at `atMs`. What is older or lower than what is known changes nothing. */
export function observeProgress(pace: Pace | undefined, progress: number, atMs: number): Pace {
  if (pace === undefined) return { sinceMs: atMs, atMs, from: progress, progress, rate: 0 };
  const gained = progress - pace.progress;
  const passedMs = atMs - pace.atMs;
  if (gained <= 0 || passedMs <= 0) return pace;
  const first = pace.rate === 0;
  const rate = first ? gained / passedMs : faded(pace, passedMs) + (1 - fading(pace, passedMs)) * (gained / passedMs);
  return { ...pace, atMs, progress, rate };
}

/** The estimate at `nowMs`; `earlierMs` is what earlier runs of the kind usually took from start to end. */
export function estimateEnd(
  pace: Pace | undefined,
  run: { readonly progress: number; readonly startedAtMs: number; readonly nowMs: number },
  earlierMs: number | undefined,
): Estimate | undefined {
  if (pace !== undefined) {
    const enough = pace.progress - pace.from >= leastProgress && pace.atMs - pace.sinceMs >= leastRunMs;
    // up to the pause that the run's own reports have, standing still is nothing new
    const idleMs = Math.max(0, run.nowMs - pace.atMs - leastMemoryMs);
    const rate = faded(pace, idleMs);
    // who has stood still so long waits for something that its rate knows nothing of
    if (enough && fading(pace, idleMs) < stalled) return undefined;
    if (enough && rate > 0) {
      const sincePaceMs = Math.min(leastMemoryMs, Math.max(0, run.nowMs - pace.atMs));
      return bounded((100 - pace.progress) / rate - sincePaceMs, 'this-run');
    }
  }
  if (earlierMs === undefined || !(earlierMs > 0)) return undefined;
  const byTime = earlierMs - Math.max(0, run.nowMs - run.startedAtMs);
  // a run that takes longer than those before it is not over for that
  return bounded(Math.max(byTime, (earlierMs * (100 - run.progress)) / 1_000), 'earlier-runs');
}

function bounded(etaMs: number, basis: Estimate['basis']): Estimate | undefined {
  if (!Number.isFinite(etaMs) || etaMs > longestEtaMs) return undefined;
  return { etaMs: Math.max(0, Math.round(etaMs)), basis };
}

function fading(pace: Pace, passedMs: number): number {
  const memoryMs = Math.max(leastMemoryMs, (pace.atMs - pace.sinceMs) / 3);
  return Math.exp(-passedMs / memoryMs);
}

function faded(pace: Pace, passedMs: number): number {
  return pace.rate * fading(pace, passedMs);
}
