import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateEnd, observeProgress, type Pace } from './pace.ts';

const startedAtMs = 1_000_000;

/** A run of `totalMs` at even speed, seen every `everyMs` until `untilMs`. */
function evenRun(totalMs: number, everyMs: number, untilMs: number): Pace | undefined {
  let pace: Pace | undefined;
  for (let at = 0; at <= untilMs; at += everyMs) pace = observeProgress(pace, (at / totalMs) * 100, startedAtMs + at);
  return pace;
}

describe('the estimate', () => {
  it('of an even run is what is left of it, within 5 %', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20_000, max: 7_200_000 }),
        fc.integer({ min: 250, max: 1_000 }),
        fc.integer({ min: 15, max: 95 }),
        (totalMs, everyMs, percent) => {
          const nowMs = (totalMs * percent) / 100;
          const pace = evenRun(totalMs, everyMs, nowMs);
          const run = { progress: pace!.progress, startedAtMs, nowMs: startedAtMs + nowMs };
          const eta = estimateEnd(pace, run, undefined);
          expect(eta?.basis).toBe('this-run');
          expect(Math.abs(eta!.etaMs - (totalMs - nowMs))).toBeLessThan(Math.max(1_100, (totalMs - nowMs) * 0.05));
        },
      ),
    );
  });

  it('rests on earlier runs until this one has shown enough, then on this one', () => {
    const early = { progress: 1, startedAtMs, nowMs: startedAtMs + 1_000 };
    expect(estimateEnd(evenRun(100_000, 250, 1_000), early, 60_000)).toEqual({ etaMs: 59_000, basis: 'earlier-runs' });
    expect(estimateEnd(evenRun(100_000, 250, 1_000), early, undefined)).toBeUndefined();
    const later = { progress: 10, startedAtMs, nowMs: startedAtMs + 10_000 };
    expect(estimateEnd(evenRun(100_000, 250, 10_000), later, 60_000)?.basis).toBe('this-run');
  });

  it('grows while nothing moves, and is never negative or endless', () => {
    const pace = evenRun(100_000, 250, 50_000);
    const at = (idleMs: number) =>
      estimateEnd(pace, { progress: 50, startedAtMs, nowMs: startedAtMs + 50_000 + idleMs }, undefined)?.etaMs;
    expect(at(30_000)).toBeGreaterThan(at(5_000)!);
    expect(at(60_000)).toBeGreaterThan(at(30_000)!);
    expect(at(72_000)).toBeUndefined(); // it waits for something else than itself
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -5, max: 100 }), fc.integer({ min: -5_000, max: 60_000 })), {
          maxLength: 40,
        }),
        fc.option(fc.integer({ min: -10, max: 1e9 }), { nil: undefined }),
        (reports, earlierMs) => {
          let known: Pace | undefined;
          let nowMs = startedAtMs;
          for (const [progress, afterMs] of reports) {
            nowMs += afterMs;
            known = observeProgress(known, progress, nowMs);
            const eta = estimateEnd(known, { progress: Math.max(0, known.progress), startedAtMs, nowMs }, earlierMs);
            expect(eta?.etaMs ?? 0).toBeGreaterThanOrEqual(0);
            expect(Number.isSafeInteger(eta?.etaMs ?? 0)).toBe(true);
          }
        },
      ),
    );
  });

  it('of a run that takes longer than earlier ones does not come to nothing before the run does', () => {
    const eta = estimateEnd(undefined, { progress: 2, startedAtMs, nowMs: startedAtMs + 90_000 }, 60_000);
    expect(eta?.etaMs).toBeGreaterThan(1_000);
  });
});
