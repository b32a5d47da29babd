import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interestOf, planStoryboard, renderStoryboard } from './storyboard.ts';

const lengths = fc.integer({ min: 1, max: 12 * 3_600_000 });
const side = fc.integer({ min: 2, max: 8_000 });

describe('a storyboard', () => {
  it('covers the whole video without gaps, every cue inside its sheet', () => {
    fc.assert(
      fc.property(lengths, side, side, (durationMs, width, height) => {
        const plan = planStoryboard(durationMs, width, height);
        expect(plan.tiles).toBeLessThanOrEqual(300);
        expect([plan.width % 2, plan.height % 2]).toEqual([0, 0]);
        const sheets = Array.from({ length: Math.ceil(plan.tiles / 25) }, (_, i) => `storyboard-${i}.jpg`);
        const text = renderStoryboard(plan, durationMs, sheets);
        const cues = [...text.matchAll(/^(\S+) --> (\S+)\nstoryboard-(\d+)\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)];
        expect(cues.length).toBe(plan.tiles);
        cues.forEach(([, from, to, sheet, x, y, w, h], i) => {
          expect(from).toBe(i === 0 ? '00:00:00.000' : cues[i - 1]?.[2]);
          expect(to).not.toBe(from);
          expect(Number(sheet)).toBe(Math.floor(i / 25));
          expect(Number(x) + Number(w)).toBeLessThanOrEqual(plan.width * 5);
          expect(Number(y) + Number(h)).toBeLessThanOrEqual(plan.height * 5);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('of which fewer sheets came than were planned names only those', () => {
    const plan = planStoryboard(60_000, 320, 180);
    expect(renderStoryboard(plan, 60_000, ['storyboard-0.jpg']).match(/-->/g)?.length).toBe(25);
    expect(renderStoryboard(plan, 60_000, [])).toBe('WEBVTT\n\n');
  });
});

it('a picture is worth showing when it is neither dark nor bright nor even', () => {
  const noise = Uint8Array.from({ length: 1_000 }, (_, i) => 60 + ((i * 37) % 120));
  expect(interestOf(noise).enough).toBe(true);
  for (const even of [0, 16, 120, 255]) expect(interestOf(new Uint8Array(1_000).fill(even)).enough).toBe(false);
  expect(interestOf(new Uint8Array(0)).enough).toBe(false);
});
