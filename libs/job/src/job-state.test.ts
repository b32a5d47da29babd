import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type JobState,
  jobHasEnded,
  jobSignals,
  jobStates,
  moveJob,
  moveTask,
  taskHasEnded,
  taskSignals,
  taskStates,
} from './job-state.ts';

const arrows = [
  ['pending', 'processing'],
  ['pending', 'failed'],
  ['pending', 'cancelled'],
  ['processing', 'completed'],
  ['processing', 'failed'],
  ['processing', 'cancelled'],
];

describe('a job', () => {
  it('moves along its six arrows and no other', () => {
    const found = jobStates.flatMap((from) =>
      jobSignals.flatMap((signal) => {
        const moved = moveJob(from, signal);
        return moved.ok ? [[from, moved.value]] : [];
      }),
    );
    expect(found.sort()).toEqual(arrows.sort());
  });

  it('in any order of signals ends at most once, and stays as it ended', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...jobSignals), { maxLength: 30 }), (signals) => {
        let state: JobState = 'pending';
        let ends = 0;
        for (const signal of signals) {
          const moved = moveJob(state, signal);
          if (jobHasEnded(state)) expect(moved.ok).toBe(false);
          if (!moved.ok) continue;
          state = moved.value;
          if (jobHasEnded(state)) ends++;
        }
        expect(ends).toBeLessThanOrEqual(1);
        expect(jobHasEnded(state)).toBe(ends === 1);
      }),
    );
  });

  it('refused signal says what is allowed and what came', () => {
    const refused = moveJob('completed', 'cancel');
    expect(refused.ok ? '' : refused.error.message).toBe(
      'a job that is completed allows nothing: it has ended; got cancel',
    );
    const early = moveJob('pending', 'complete');
    expect(early.ok ? '' : early.error.message).toBe('a job that is pending allows start, fail, cancel; got complete');
  });
});

describe('a task', () => {
  it('has a result, a failure or an end only after it was leased, and its job may cancel it until then', () => {
    for (const state of taskStates) {
      for (const signal of taskSignals) {
        const moved = moveTask(state, signal);
        if (signal === 'cancel') expect(moved.ok).toBe(!taskHasEnded(state));
        if (signal === 'finish' || signal === 'fail' || signal === 'requeue') expect(moved.ok).toBe(state === 'leased');
        if (taskHasEnded(state)) expect(moved.ok).toBe(false);
      }
    }
  });
});
