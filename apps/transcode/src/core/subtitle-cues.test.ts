import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cuesOf, type Utterance } from './subtitle-cues.ts';

const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 }).map((text) => text.replace(/\s/g, 'x'));
const utterances = fc
  .array(
    fc.record({
      pauseMs: fc.integer({ min: 0, max: 3_000 }),
      lastsMs: fc.integer({ min: 200, max: 30_000 }),
      words: fc.array(word, { minLength: 1, maxLength: 60 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((spoken) => {
    let at = 0;
    return spoken.map(({ pauseMs, lastsMs, words }): Utterance => {
      const startMs = at + pauseMs;
      at = startMs + lastsMs;
      return { startMs, endMs: at, text: words.join(' ') };
    });
  });

describe('cues', () => {
  it('say every word once and in order, two lines of 42 letters at a time, one after the other', () => {
    fc.assert(
      fc.property(utterances, (said) => {
        const durationMs = Math.max(...said.map(({ endMs }) => endMs));
        const cues = cuesOf(said, durationMs);
        const letters = (text: string) => text.replaceAll(/\s/g, '');
        expect(letters(cues.flatMap(({ lines }) => lines).join(''))).toBe(
          letters(said.map(({ text }) => text).join('')),
        );
        let shownUntil = 0;
        for (const { startMs, endMs, lines } of cues) {
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          expect(startMs).toBeGreaterThanOrEqual(shownUntil);
          expect(endMs).toBeGreaterThan(startMs);
          shownUntil = endMs;
        }
        expect(shownUntil).toBeLessThanOrEqual(durationMs);
      }),
    );
  });

  it('begin with the speech and end with it', () => {
    const [cue, ...rest] = cuesOf([{ startMs: 1_000, endMs: 3_000, text: 'good morning and welcome' }], 60_000);
    expect(cue).toEqual({ startMs: 1_000, endMs: 3_000, lines: ['good morning and welcome'] });
    expect(rest).toEqual([]);
  });

  it('share out the time of a long utterance, and part it where a sentence ends', () => {
    const text =
      'The first sentence of this is quite long already. The second one follows it at once, and goes on for some time, so that nobody could read it in one glance.';
    const cues = cuesOf([{ startMs: 0, endMs: 14_000, text }], 14_000);
    expect(cues[0]?.lines.join(' ')).toBe('The first sentence of this is quite long already.');
    expect(cues.length).toBeGreaterThan(2);
    for (const { startMs, endMs } of cues) expect(endMs - startMs).toBeLessThanOrEqual(7_000);
    expect(cues.at(-1)?.endMs).toBe(14_000);
  });

  it('stay long enough to be read, where there is a pause', () => {
    const said = [
      { startMs: 0, endMs: 100, text: 'yes' },
      { startMs: 5_000, endMs: 5_100, text: 'no' },
    ];
    expect(cuesOf(said, 5_300).map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 700],
      [5_000, 5_300],
    ]);
  });
});
