import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubmitGate } from './submit-gate.ts';

const limits = { most: 256, least: 16, patienceMs: 250 };

/** A server that answers one after the other, each in `paceMs`, to arrivals at `perSecond` for `seconds`; by simulated time. */
function offered({ perSecond, paceMs, seconds }: { perSecond: number; paceMs: number; seconds: number }) {
  const gate = new SubmitGate(limits);
  const answers: { enteredMs: number; tookMs: number }[] = [];
  const inside: { enteredMs: number; leave: (nowMs: number) => void }[] = [];
  let [shed, freeMs] = [0, 0];
  const settle = (untilMs: number) => {
    for (let next = inside[0]; next !== undefined; next = inside[0]) {
      const doneMs = Math.max(freeMs, next.enteredMs) + paceMs;
      if (doneMs > untilMs) return;
      freeMs = doneMs;
      inside.shift();
      next.leave(doneMs);
      answers.push({ enteredMs: next.enteredMs, tookMs: doneMs - next.enteredMs });
    }
  };
  for (let n = 0; n < perSecond * seconds; n++) {
    const nowMs = (n * 1_000) / perSecond;
    settle(nowMs);
    const entry = gate.enter(nowMs);
    if (entry.kind === 'shed') shed++;
    else inside.push({ enteredMs: nowMs, leave: entry.leave });
  }
  settle(Number.POSITIVE_INFINITY);
  return { answers, shed };
}

describe('the gate', () => {
  it('at any load answers who is let in within 500 ms, once it has seen how fast the server is', () => {
    const rate = fc.integer({ min: 10, max: 3_000 });
    const pace = fc.double({ min: 0.3, max: 25, noNaN: true });
    fc.assert(
      fc.property(rate, pace, (perSecond, paceMs) => {
        const { answers } = offered({ perSecond, paceMs, seconds: 8 });
        const later = answers.filter((answer) => answer.enteredMs > 4_000);
        expect(Math.max(0, ...later.map((answer) => answer.tookMs))).toBeLessThanOrEqual(500);
      }),
      { numRuns: 60 },
    );
  });

  it('turns nobody away at a load that the server can bear, and keeps it busy at any above', () => {
    const rate = fc.integer({ min: 10, max: 3_000 });
    const pace = fc.double({ min: 0.3, max: 25, noNaN: true });
    fc.assert(
      fc.property(rate, pace, (perSecond, paceMs) => {
        const { answers, shed } = offered({ perSecond, paceMs, seconds: 8 });
        if (perSecond * paceMs < 900) expect(shed).toBe(0);
        else expect(answers.length).toBeGreaterThan(Math.min(perSecond, 900 / paceMs) * 8 * 0.9);
      }),
      { numRuns: 60 },
    );
  });

  it('lets a few in while nobody leaves, and no more until somebody does', () => {
    const gate = new SubmitGate(limits);
    const entries = Array.from({ length: 40 }, () => gate.enter(0));
    expect(entries.every((entry) => entry.kind === 'entered')).toBe(true);
    expect(gate.enter(251)).toEqual({ kind: 'shed', reason: 'stalled' });
    for (const entry of entries) if (entry.kind === 'entered') entry.leave(5_000);
    expect(gate.inside).toBe(0);
    expect(gate.enter(5_001).kind).toBe('entered');
  });

  it('turns away who has waited too long before it could be asked, but for a few', () => {
    const gate = new SubmitGate(limits);
    expect(gate.refusal(0, 1_000)).toBeUndefined();
    for (let n = 0; n < limits.least; n++) gate.enter(0);
    expect(gate.refusal(0, 0)).toBeUndefined();
    expect(gate.refusal(0, limits.patienceMs)).toBe('slow');
  });

  it('never has more inside than the most, however fast they leave', () => {
    const gate = new SubmitGate({ ...limits, most: 20 });
    for (let n = 0; n < 20; n++) expect(gate.enter(n).kind).toBe('entered');
    expect(gate.enter(20)).toEqual({ kind: 'shed', reason: 'full' });
  });
});
