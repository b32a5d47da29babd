import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideLiveEdge, type LiveEdgeHistory, type LiveObservation } from './decision.ts';

const steady: LiveObservation = {
  latencyS: 0.65,
  targetLatencyS: 0.65,
  bufferAheadS: 0.5,
  currentTimeS: 100,
  edgeS: 100.6,
};
const running: LiveEdgeHistory = { maySeek: true, starting: false, hurrying: false };
const with_ = (change: Partial<LiveObservation>, history: Partial<LiveEdgeHistory> = {}) =>
  decideLiveEdge({ ...steady, ...change }, { ...running, ...history });

describe('the live-edge rule', () => {
  it('keeps normal speed on target', () => {
    expect(with_({})).toEqual({ kind: 'rate', rate: 1, reason: 'on-target' });
    expect(with_({ latencyS: 0.68 })).toMatchObject({ rate: 1 });
    expect(with_({ latencyS: 0.6 })).toMatchObject({ rate: 1 });
  });

  it('hurries in proportion to the delay, up to 1.1', () => {
    expect(with_({ latencyS: 0.75 })).toMatchObject({ rate: expect.closeTo(1.05), reason: 'late' });
    expect(with_({ latencyS: 2.5 })).toMatchObject({ rate: 1.1, reason: 'late' });
  });

  it('does not settle at the threshold: once it hurries it goes on until it is on time', () => {
    expect(with_({ latencyS: 0.68 }, { hurrying: true })).toMatchObject({
      rate: expect.closeTo(1.015),
      reason: 'late',
    });
    expect(with_({ latencyS: 0.655 }, { hurrying: true })).toMatchObject({ rate: 1, reason: 'on-target' });
  });

  it('jumps the start-up delay when the target is buffered already, but only at the start', () => {
    const late = { latencyS: 1.25, bufferAheadS: 1.1 };
    expect(with_(late, { starting: true })).toEqual({ kind: 'seek', toS: expect.closeTo(100.6) });
    expect(with_(late)).toMatchObject({ kind: 'rate', rate: 1.1 });
    expect(with_({ ...late, bufferAheadS: 0.7 }, { starting: true })).toMatchObject({ kind: 'rate', rate: 1.1 });
    expect(with_({ latencyS: 1, bufferAheadS: 1 }, { starting: true })).toMatchObject({ kind: 'rate' });
  });

  it('slows down when it is early', () => {
    expect(with_({ latencyS: 0.5 })).toMatchObject({ rate: 0.97, reason: 'early' });
  });

  it('slows down before the buffer runs dry, however late it is', () => {
    expect(with_({ latencyS: 1.5, bufferAheadS: 0.1 })).toMatchObject({ rate: 0.97, reason: 'low-buffer' });
  });

  it('seeks to the target when it is more than 2 s behind', () => {
    expect(with_({ latencyS: 4.65, edgeS: 104.6 })).toEqual({ kind: 'seek', toS: expect.closeTo(104) });
  });

  it('does not seek to media that does not exist when the origin is silent', () => {
    expect(with_({ latencyS: 10, edgeS: 100.4, bufferAheadS: 0.4 })).toMatchObject({ kind: 'rate', rate: 1.1 });
    expect(with_({ latencyS: 10, edgeS: 100.05, bufferAheadS: 0.05 })).toMatchObject({ kind: 'rate', rate: 0.97 });
  });

  it('knows nothing from numbers that are not finite', () => {
    expect(with_({ latencyS: Number.NaN })).toMatchObject({ rate: 1 });
    expect(with_({ latencyS: Number.POSITIVE_INFINITY })).toMatchObject({ rate: 1 });
    expect(with_({ bufferAheadS: Number.NaN })).toMatchObject({ rate: 1 });
    expect(with_({ edgeS: Number.NaN, latencyS: 9 })).toMatchObject({ rate: 1 });
  });

  it('never leaves 0.97 to 1.1, and never seeks backwards or beyond the newest media', () => {
    // Up to a hundred days of media time, beyond which a double cannot tell hundredths of a second apart for long.
    const number = fc.oneof(
      fc.double({ min: -50, max: 50, noNaN: true }),
      fc.double({ min: -1e7, max: 1e7, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(
        fc.record({
          latencyS: number,
          targetLatencyS: number,
          bufferAheadS: number,
          currentTimeS: number,
          edgeS: number,
        }),
        fc.record({ maySeek: fc.boolean(), starting: fc.boolean(), hurrying: fc.boolean() }),
        (seen, history) => {
          const decision = decideLiveEdge(seen, history);
          if (decision.kind === 'rate') {
            expect(decision.rate).toBeGreaterThanOrEqual(0.97);
            expect(decision.rate).toBeLessThanOrEqual(1.1);
          } else {
            expect(history.maySeek).toBe(true);
            expect(decision.toS).toBeGreaterThan(seen.currentTimeS);
            expect(decision.toS).toBeLessThanOrEqual(Math.max(seen.edgeS, seen.currentTimeS + seen.bufferAheadS));
          }
        },
      ),
    );
  });
});
