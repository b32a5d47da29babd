import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkWeights, overallProgress, shareOutWeights, stepProgress } from './step-progress.ts';

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
/** Steps whose weights sum to 100. */
const weighted = fc
  .array(fc.record({ part: fc.integer({ min: 0, max: 50 }), skipped: fc.boolean(), progress: fraction }), {
    minLength: 1,
    maxLength: 8,
  })
  .filter((parts) => parts.some(({ part }) => part > 0))
  .map((parts) => {
    const sum = parts.reduce((total, { part }) => total + part, 0);
    return parts.map(({ part, skipped, progress }, at) => ({
      ...{ name: `s${at}`, weight: (part / sum) * 100, skipped, progress: progress * 100 },
    }));
  });

describe('weights', () => {
  it('sum to 100 whatever is skipped, and a skipped step has none unless all are', () => {
    fc.assert(
      fc.property(weighted, (steps) => {
        const weights = shareOutWeights(steps);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(100, 6);
        for (const [at, step] of steps.entries()) {
          expect(weights[at]).toBeGreaterThanOrEqual(0);
          if (step.skipped && !steps.every((one) => one.skipped)) expect(weights[at]).toBe(0);
        }
      }),
    );
  });

  it('of the steps that are left keep their proportion', () => {
    const steps = [
      { name: 'a', weight: 20, skipped: true },
      { name: 'b', weight: 60, skipped: false },
      { name: 'c', weight: 20, skipped: false },
    ];
    expect(shareOutWeights(steps)).toEqual([0, 75, 25]);
    const unweighted = [steps[0]!, { ...steps[1]!, weight: 0 }, { ...steps[2]!, weight: 0 }];
    expect(shareOutWeights(unweighted)).toEqual([0, 50, 50]);
  });

  it('that do not sum to 100, are negative, or belong to two steps of a name are refused with the reason', () => {
    const kinds = [
      [],
      [['a', 50]],
      [
        ['a', 110],
        ['b', -10],
      ],
      [
        ['a', 50],
        ['a', 50],
      ],
    ].map((steps) => {
      const checked = checkWeights(steps.map(([name, weight]) => ({ name: String(name), weight: Number(weight) })));
      return checked.ok ? 'ok' : checked.error.kind;
    });
    expect(kinds).toEqual(['no-steps', 'bad-sum', 'bad-weight', 'name-twice']);
    expect(
      checkWeights([
        { name: 'a', weight: 33.3 },
        { name: 'b', weight: 66.7 },
      ]).ok,
    ).toBe(true);
  });
});

describe('progress', () => {
  it('of a step is between its least and its most finished task, and 100 when all are done', () => {
    const tasks = fc.array(fc.record({ share: fc.double({ min: 0, max: 1e6, noNaN: true }), done: fraction }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(tasks, (given) => {
        const progress = stepProgress(given);
        const all = given.map((task) => task.done * 100);
        expect(progress).toBeGreaterThanOrEqual(Math.min(...all) - 1e-6);
        expect(progress).toBeLessThanOrEqual(Math.max(...all) + 1e-6);
        expect(stepProgress(given.map((task) => ({ ...task, done: 1 })))).toBeCloseTo(100, 6);
      }),
    );
    expect(stepProgress([])).toBe(0);
  });

  it('of a job never goes back and stays in 0..100, whatever its steps say, skip or say again in whatever order', () => {
    fc.assert(
      fc.property(fc.array(weighted, { minLength: 1, maxLength: 20 }), (rounds) => {
        let before = 0;
        for (const steps of rounds) {
          const now = overallProgress(steps, before, false);
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeLessThan(100);
          before = now;
        }
        expect(overallProgress(rounds[0]!, before, true)).toBe(100);
      }),
    );
  });

  it('of a job does not depend on the order of reports: the same steps give the same progress', () => {
    fc.assert(
      fc.property(weighted, (steps) => {
        const direct = overallProgress(steps, 0, false);
        const halfway = overallProgress(
          steps.map((step) => ({ ...step, progress: step.progress / 2 })),
          0,
          false,
        );
        expect(overallProgress(steps, halfway, false)).toBe(Math.max(direct, halfway));
      }),
    );
  });
});
