import type { JobFact } from '@millrace/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldJobFact, hasEnded, type JobRecord } from './job-record.ts';

const common = { job_id: 'job_1', owner_id: 'own_1', kind: 'process' as const, subject: 'vid_1' };
const fact: fc.Arbitrary<JobFact> = fc.oneof(
  fc.record({ ...constants(common), type: fc.constant('JobQueued' as const), at_ms: fc.nat(100) }),
  fc.record({ ...constants(common), type: fc.constant('JobStarted' as const), attempt: fc.nat(3), at_ms: fc.nat(100) }),
  fc.record({
    ...constants(common),
    ...{ type: fc.constant('JobProgressed' as const), attempt: fc.nat(3), at_ms: fc.nat(100) },
    ...{ progress: fc.integer({ min: 0, max: 100 }), phase: fc.constantFrom('probe', 'encode') },
  }),
  fc.record({ ...constants(common), type: fc.constant('JobCompleted' as const), at_ms: fc.nat(100) }),
  fc.record({
    ...constants(common),
    type: fc.constant('JobFailed' as const),
    reason: fc.constant('no'),
    at_ms: fc.nat(100),
  }),
  fc.record({ ...constants(common), type: fc.constant('JobCancelled' as const), at_ms: fc.nat(100) }),
);

function constants<T extends Record<string, string>>(values: T): { [K in keyof T]: fc.Arbitrary<T[K]> } {
  return Object.fromEntries(Object.entries(values).map(([k, v]) => [k, fc.constant(v)])) as never;
}

describe('the fold of job facts', () => {
  it('never takes progress back, unless the job is queued anew', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 30 }), (facts) => {
        let state: JobRecord | undefined;
        for (const one of facts) {
          const next = foldJobFact(state, one);
          if (state !== undefined && one.type !== 'JobQueued')
            expect(next.progress).toBeGreaterThanOrEqual(state.progress);
          expect(next.attempt).toBeGreaterThanOrEqual(state?.attempt ?? 0);
          if (state !== undefined && hasEnded(state) && !hasEnded(next)) {
            expect(['JobQueued', 'JobStarted', 'JobProgressed']).toContain(one.type);
          }
          state = next;
        }
      }),
    );
  });

  it('a fact that is delivered twice in a row changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(fact, { minLength: 1, maxLength: 30 }), (facts) => {
        const state = facts.reduce<JobRecord | undefined>(foldJobFact, undefined);
        const last = facts.at(-1);
        if (last !== undefined) expect(foldJobFact(state, last)).toBe(state);
      }),
    );
  });

  it('an older attempt and an ended job say nothing more', () => {
    const started = foldJobFact(undefined, { ...common, type: 'JobStarted', attempt: 2, at_ms: 1 });
    const late: JobFact = { ...common, type: 'JobProgressed', attempt: 1, progress: 90, phase: 'x', at_ms: 2 };
    expect(foldJobFact(started, late)).toBe(started);
    const done = foldJobFact(started, { ...common, type: 'JobCompleted', at_ms: 3 });
    expect(done).toMatchObject({ status: 'completed', progress: 100 });
    expect(foldJobFact(done, { ...common, type: 'JobFailed', reason: 'x', at_ms: 4 })).toBe(done);
  });
});
