/**
 * What a job and its steps are, from what its tasks are. Steps and progress only move forward here, so it does not matter who counts,
 * when, and how often.
 */

import type { JobStep } from '@millrace/events';
import {
  estimateEnd,
  jobHasEnded,
  observeProgress,
  overallProgress,
  type StepShare,
  shareOutWeights,
} from '@millrace/job';
import type { JobRecord, StepRecord } from './job-record.ts';
import type { TaskSums } from './task-rows.ts';

export interface CountedJob {
  readonly job: JobRecord;
  readonly steps: readonly StepRecord[];
  /** Those of `steps` that are other than before. */
  readonly changed: readonly StepRecord[];
}

/** Counts a job that has not ended; `effort` is that of its pipeline. */
export function countJob(
  job: JobRecord,
  steps: readonly StepRecord[],
  sums: readonly TaskSums[],
  nowMs: number,
  effort?: Readonly<Record<string, number>>,
): CountedJob {
  const counted = steps.map((step) =>
    countStep(
      step,
      sums.find((one) => one.step === step.name),
      nowMs,
    ),
  );
  const changed = counted.filter((step, at) => step !== steps[at]);
  const shares = counted.map((step) => ({ ...step, skipped: step.status === 'skipped' }));
  const progress = overallProgress(shares, job.progress, false);
  const phase = phaseOf(job, counted, sums, nowMs);
  const moved = progress > job.progress || phase !== job.phase || changed.length > 0;
  const pace = job.status === 'processing' ? observeProgress(job.pace, workOf(shares, effort), nowMs) : job.pace;
  if (!moved && pace === job.pace) return { job, steps, changed: [] };
  return {
    job: { ...job, progress, phase, pace, updatedAtMs: Math.max(nowMs, job.updatedAtMs) },
    steps: counted,
    changed,
  };
}

/** How much of the work is done, percent. */
function workOf(shares: readonly StepShare[], effort: Readonly<Record<string, number>> = {}): number {
  const efforts = shares.map((step) => ({ ...step, weight: effort[step.name] ?? step.weight }));
  const sum = efforts.reduce((total, { weight }) => total + weight, 0);
  if (!(sum > 0)) return overallProgress(shares, 0, false);
  return overallProgress(
    efforts.map((step) => ({ ...step, weight: (step.weight / sum) * 100 })),
    0,
    false,
  );
}

function countStep(step: StepRecord, sums: TaskSums | undefined, nowMs: number): StepRecord {
  if (sums === undefined || step.status === 'skipped' || step.status === 'failed' || step.status === 'cancelled') {
    return step;
  }
  const completed = sums.open === 0;
  const status = completed ? 'completed' : sums.touched ? 'processing' : step.status;
  const progress = Math.max(step.progress, completed ? 100 : Math.floor(sums.done * 10_000) / 100);
  if (status === step.status && progress === step.progress) return step;
  return {
    ...step,
    status,
    progress,
    startedAtMs: step.startedAtMs ?? (status === 'pending' ? undefined : nowMs),
    finishedAtMs: completed ? (step.finishedAtMs ?? nowMs) : undefined,
  };
}

/** What the job does now, in words: what its heaviest running step does. */
export function phaseOf(
  job: Pick<JobRecord, 'status' | 'cancelling' | 'blocked'>,
  steps: readonly StepRecord[],
  sums: readonly TaskSums[],
  nowMs: number,
): string | undefined {
  if (jobHasEnded(job.status)) return undefined;
  if (job.cancelling) return 'stopping';
  if (job.blocked) return 'waiting until the run before it has stopped';
  const running = steps
    .flatMap((step) => {
      const own = sums.find((one) => one.step === step.name);
      return own !== undefined && own.leased > 0 ? [{ step, own }] : [];
    })
    .sort((a, b) => b.step.weight - a.step.weight)[0];
  if (running !== undefined) return running.own.phase ?? running.step.phase;
  if (sums.some((one) => one.readyAtMs !== undefined && one.readyAtMs > nowMs)) return 'waiting to try again';
  return 'waiting for a worker';
}

/** Steps of a job that ends as `status`: what is open ends with it. `failed`: the step that failed it, and why. */
export function endSteps(
  steps: readonly StepRecord[],
  status: 'completed' | 'failed' | 'cancelled',
  failed: { readonly step: string | null; readonly reason: string } | undefined,
  nowMs: number,
): readonly StepRecord[] {
  return steps.map((step) => {
    if (failed !== undefined && failed.step === step.name) {
      const startedAtMs = step.startedAtMs ?? nowMs;
      return { ...step, status: 'failed', reason: failed.reason, startedAtMs, finishedAtMs: nowMs };
    }
    if (step.status !== 'pending' && step.status !== 'processing') return step;
    if (status !== 'completed') return { ...step, status: 'cancelled', finishedAtMs: nowMs };
    return { ...step, status, progress: 100, startedAtMs: step.startedAtMs ?? nowMs, finishedAtMs: nowMs };
  });
}

/** Steps as facts and REST show them: with the weights that count. */
export function shownSteps(steps: readonly StepRecord[]): readonly JobStep[] {
  const weights = shareOutWeights(steps.map((step) => ({ ...step, skipped: step.status === 'skipped' })));
  return steps.map((step, at) => ({
    name: step.name,
    weight: Math.round((weights[at] ?? 0) * 1_000) / 1_000,
    status: step.status,
    progress: step.progress,
  }));
}

/** When the job will have ended, as far as that can be told. */
export function etaOf(job: JobRecord, usualMs: number | undefined, nowMs: number) {
  if (job.status !== 'processing' || job.cancelling || job.startedAtMs === undefined) return undefined;
  return estimateEnd(job.pace, { progress: job.progress, startedAtMs: job.startedAtMs, nowMs }, usualMs);
}
