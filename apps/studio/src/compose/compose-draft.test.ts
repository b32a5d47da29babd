import { compositionInputSchema } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  type ComposeDraft,
  type DraftItem,
  emptyDraft,
  formatTime,
  moved,
  obstacle,
  parseTime,
  totalMs,
  trimOf,
} from './compose-draft.ts';

const videoId = (n: number) => `vid_01jd4${String(n).padStart(21, '0')}`;
const item = (change: Partial<DraftItem> = {}): DraftItem => ({
  ...{ key: 'a', videoId: videoId(1), title: 'Intro', posterUrl: null, locked: false, durationMs: 10_000 },
  ...{ start: '', end: '' },
  ...change,
});
const draft = (items: readonly DraftItem[], change: Partial<ComposeDraft> = {}) => ({
  ...emptyDraft,
  items,
  ...change,
});

describe('times', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.nat(360_000_000), (ms) => {
        expect(parseTime(formatTime(ms))).toBe(ms);
      }),
    );
    expect(['75', '1:15', '1:15,5', '1:02:03', ' 0:00 '].map(parseTime)).toEqual([
      75_000, 75_000, 75_500, 3_723_000, 0,
    ]);
  });

  it('that are none are told from those that are', () => {
    for (const text of ['', 'x', '1:60', '1::2', '-1', '1:2:3:4', '1.5:00', '1:75:00']) {
      expect(parseTime(text), text).toBeUndefined();
    }
  });
});

describe('the order of the videos', () => {
  it('changes by a move, which loses and repeats nothing, and back again by the opposite one', () => {
    const list = fc.uniqueArray(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(list, fc.nat(12), fc.integer({ min: -3, max: 15 }), (items, from, to) => {
        const after = moved(items, from, to);
        expect([...after].sort()).toEqual([...items].sort());
        if (from >= items.length) {
          expect(after).toBe(items);
          return;
        }
        const at = after.indexOf(items[from] ?? -1);
        expect(at).toBe(Math.min(Math.max(0, to), items.length - 1));
        expect(moved(after, at, from)).toEqual(items);
      }),
    );
  });
});

describe('a part of a video', () => {
  it('lies within it and has a length', () => {
    expect(trimOf(item({ start: '0:02', end: '5' }))).toEqual({
      ok: true,
      value: { startMs: 2_000, endMs: 5_000, lengthMs: 3_000 },
    });
    for (const wrong of [{ start: '5', end: '5' }, { end: '11' }, { start: 'soon' }, { start: '10' }]) {
      expect(trimOf(item(wrong)).ok).toBe(false);
    }
  });
});

describe('what is to be joined', () => {
  it('says what keeps it from being joined', () => {
    const two = [item(), item({ key: 'b', videoId: videoId(2), title: 'Talk' })];
    expect(obstacle(draft([item()]))).toBe('Pick at least two videos.');
    expect(obstacle(draft(two))).toBeUndefined();
    expect(obstacle(draft(Array.from({ length: 6 }, () => item())))).toContain('at most 5 times');
    expect(obstacle(draft([item({ end: '0:20' }), ...two]))).toBe('“Intro”: It ends at 0:10.');
    const short = [item({ end: '1' }), item(), item({ end: '1' })];
    expect(obstacle(draft(short, { transition: 'crossfade', transitionMs: 1_500 }))).toContain('too short');
    expect(obstacle(draft(short, { transition: 'fade', transitionMs: 1_500 }))).toBeUndefined();
  });

  it('is as long as its parts, less what crossfades show at once', () => {
    const two = [item({ start: '4' }), item()];
    expect(totalMs(draft(two))).toBe(16_000);
    expect(totalMs(draft(two, { transition: 'crossfade', transitionMs: 500 }))).toBe(15_500);
    expect(totalMs(draft([item({ end: 'x' })]))).toBeUndefined();
  });

  it('is sent in a form that the API takes', () => {
    const anItem = fc
      .record({
        n: fc.nat(20),
        from: fc.nat(4_000),
        length: fc.integer({ min: 5_000, max: 6_000 }),
        trimmed: fc.boolean(),
      })
      .map(({ n, from, length, trimmed }) =>
        item({
          videoId: videoId(n),
          ...(trimmed ? { start: formatTime(from), end: formatTime(from + length) } : {}),
        }),
      );
    const anyDraft = fc.record({
      title: fc.constantFrom('', ' Both '),
      items: fc.array(anItem, { minLength: 2, maxLength: 8 }),
      transition: fc.constantFrom('cut' as const, 'fade' as const, 'crossfade' as const),
      transitionMs: fc.integer({ min: 100, max: 2_000 }),
      evenLoudness: fc.boolean(),
    });
    fc.assert(
      fc.property(anyDraft, (one) => {
        if (obstacle(one) === undefined) compositionInputSchema.parse(bodyOf(one));
      }),
    );
  });
});
