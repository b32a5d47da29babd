import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countJob, etaOf } from './job-fold.ts';
import type { JobRecord, StepRecord } from './job-record.ts';
import type { TaskSums } from './task-rows.ts';

const startedAtMs = 1_000_000;
const names = ['read', 'encode', 'publish'] as const;

function jobAtStart(): JobRecord {
  return {
    ...{ jobId: 'job_1', kind: 'process', subject: 'vid_1', ownerId: 'own_1', priority: 'normal', request: null },
    ...{ status: 'processing', cancelling: false, draining: false, blocked: false, progress: 0, phase: undefined },
    ...{ pace: undefined, error: undefined, finishedAtMs: undefined },
    ...{ createdAtMs: startedAtMs, startedAtMs, updatedAtMs: startedAtMs },
  };
}

function stepsOf(weights: readonly number[]): readonly StepRecord[] {
  return names.map((name, place) => ({
    ...{ jobId: 'job_1', place, name, weight: weights[place] ?? 0, phase: name, status: 'pending', progress: 0 },
    ...{ reason: undefined, startedAtMs: undefined, finishedAtMs: undefined },
  }));
}

function sumOf(step: string, done: number): TaskSums {
  const started = done > 0;
  return {
    ...{
      jobId: 'job_1',
      step,
      tasks: 1,
      open: done < 1 ? 1 : 0,
      leased: started && done < 1 ? 1 : 0,
      touched: started,
    },
    ...{ done, phase: undefined, readyAtMs: undefined },
  };
}

const shares = fc
  .tuple(...names.map(() => fc.integer({ min: 5, max: 90 })))
  .map((parts) => parts.map((part) => (part * 100) / parts.reduce((sum, one) => sum + one, 0)));

it('the end is estimated by how long steps usually take, however users are shown their weights', () => {
  fc.assert(
    fc.property(
      shares,
      shares,
      fc.integer({ min: 20_000, max: 120_000 }),
      fc.integer({ min: 25, max: 95 }),
      (...given) => {
        const [weights, efforts, totalMs, untilPercent] = given;
        const effort = Object.fromEntries(names.map((name, i) => [name, efforts[i] ?? 0]));
        let [job, steps] = [jobAtStart(), stepsOf(weights)];
        const untilMs = (totalMs * untilPercent) / 100;
        let nowMs = 0;
        for (; nowMs <= untilMs; nowMs += 250) {
          // one step after the other, each for its part of the time
          let worked = (nowMs / totalMs) * 100;
          const sums = names.map((name, i) => {
            const own = Math.min(1, worked / (efforts[i] ?? 1));
            worked = Math.max(0, worked - (efforts[i] ?? 0));
            return sumOf(name, own);
          });
          const counted = countJob(job, steps, sums, startedAtMs + nowMs, effort);
          job = counted.job;
          steps = counted.steps;
        }
        const leftMs = totalMs - (nowMs - 250);
        const eta = etaOf(job, undefined, job.updatedAtMs);
        expect(eta?.basis).toBe('this-run');
        expect(Math.abs((eta?.etaMs ?? 0) - leftMs)).toBeLessThan(Math.max(1_500, totalMs * 0.05));
      },
    ),
    { numRuns: 40 },
  );
});
