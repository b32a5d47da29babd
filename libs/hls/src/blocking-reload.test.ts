import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advancePartLimit,
  decideReload,
  isReached,
  type PlaylistPosition,
  parseReloadQuery,
} from './blocking-reload.ts';

const position = (change: Partial<PlaylistPosition> = {}): PlaylistPosition => ({
  nextSegment: 10,
  nextPart: 4,
  lastSegmentParts: 10,
  partTargetS: 0.216,
  ended: false,
  ...change,
});
const decide = (msn: number | undefined, part?: number, change: Partial<PlaylistPosition> = {}) =>
  decideReload(position(change), { msn, part, skip: false }).kind;

describe('a reload request', () => {
  it('without directives is answered at once', () => {
    expect(decide(undefined)).toBe('now');
  });

  it('for a part that is listed is answered at once, for the next part it waits', () => {
    expect([decide(10, 3), decide(10, 4)]).toEqual(['now', 'wait']);
    expect(isReached(position({ nextPart: 5 }), { msn: 10, part: 4 })).toBe(true);
  });

  it('without a part waits until the whole segment is there', () => {
    expect([decide(9), decide(10), decide(11)]).toEqual(['now', 'wait', 'wait']);
    expect(isReached(position({ nextPart: 9 }), { msn: 10, part: undefined })).toBe(false);
    expect(isReached(position({ nextSegment: 11, nextPart: 0 }), { msn: 10, part: undefined })).toBe(true);
  });

  it('for a part past the end of a segment waits for part 0 of the next', () => {
    const atBoundary = { nextPart: 0 };
    expect([decide(9, 9, atBoundary), decide(9, 10, atBoundary), decide(9, 99, atBoundary)]).toEqual([
      'now',
      'wait',
      'wait',
    ]);
    expect(isReached(position({ nextPart: 1 }), { msn: 9, part: 10 })).toBe(true);
  });

  it('that waits for a part which its segment then does not get is answered by the next segment', () => {
    const closedEarly = position({ nextSegment: 11, nextPart: 0, lastSegmentParts: 5 });
    expect(isReached(closedEarly, { msn: 10, part: 5 })).toBe(false);
    expect(isReached({ ...closedEarly, nextPart: 1 }, { msn: 10, part: 5 })).toBe(true);
  });

  it('for a segment that has left the playlist is answered with the playlist as it is', () => {
    expect([decide(0), decide(0, 0), decide(3, 99)]).toEqual(['now', 'now', 'now']);
  });

  it('more than two segments past the last is refused', () => {
    expect([decide(11, 0), decide(12), decide(12, 0)]).toEqual(['wait', 'bad-request', 'bad-request']);
    expect(decide(11)).toBe('wait');
  });

  it('beyond the advance part limit is refused', () => {
    expect(advancePartLimit(0.216)).toBe(14);
    expect([decide(10, 3 + 14), decide(10, 3 + 15)]).toEqual(['wait', 'bad-request']);
    expect([decide(11, 13), decide(11, 14)]).toEqual(['wait', 'bad-request']);
    expect(advancePartLimit(1)).toBe(3);
    expect([decide(10, 6, { partTargetS: 1 }), decide(10, 7, { partTargetS: 1 })]).toEqual(['wait', 'bad-request']);
  });

  it('of an ended playlist is answered at once whatever it asks', () => {
    expect([decide(10, 4, { ended: true }), decide(99, 99, { ended: true })]).toEqual(['now', 'now']);
    expect(isReached(position({ ended: true }), { msn: 99, part: 0 })).toBe(true);
  });

  it('that waits is reached sooner or later as parts come, and once reached stays so', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(
        parts,
        fc.integer({ min: 10, max: 11 }),
        fc.option(fc.nat(13), { nil: undefined }),
        (counts, msn, part) => {
          const decision = decideReload(position({ nextPart: 0 }), { msn, part, skip: false });
          fc.pre(decision.kind === 'wait');
          let reached = false;
          counts.forEach((count, i) => {
            for (let next = 1; next <= count; next++) {
              const last = i === 0 ? 10 : (counts[i - 1] ?? 0);
              const at =
                next === count
                  ? position({ nextSegment: 11 + i, nextPart: 0, lastSegmentParts: count })
                  : position({ nextSegment: 10 + i, nextPart: next, lastSegmentParts: last });
              const now = isReached(at, { msn, part });
              expect(!reached || now).toBe(true);
              reached = now;
            }
          });
          expect(reached).toBe(true);
        },
      ),
    );
  });
});

describe('the query', () => {
  it('gives the directives and leaves other parameters alone', () => {
    expect(parseReloadQuery('CMCD=bl%3D100&_HLS_msn=12&_HLS_part=3&_HLS_skip=YES')).toEqual({
      ok: true,
      value: { msn: 12, part: 3, skip: true },
    });
    expect(parseReloadQuery('')).toEqual({ ok: true, value: { msn: undefined, part: undefined, skip: false } });
    expect(parseReloadQuery('_HLS_skip=v2')).toMatchObject({ ok: true, value: { skip: true } });
  });

  it.each([
    '_HLS_part=1',
    '_HLS_msn=-1',
    '_HLS_msn=x',
    '_HLS_msn=',
    '_HLS_msn=1.5',
    '_HLS_msn=1&_HLS_part=a',
    '_HLS_msn',
  ])('is refused for %j', (search) => {
    expect(parseReloadQuery(search)).toMatchObject({ ok: false, error: { kind: 'bad-request' } });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseReloadQuery(text)));
  });
});
