import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cue } from './subtitle-cues.ts';
import { renderWebVtt, segmentWebVtt } from './webvtt.ts';

const cues = fc
  .array(
    fc.record({
      pauseMs: fc.integer({ min: 0, max: 40_000 }),
      lastsMs: fc.integer({ min: 1, max: 30_000 }),
      lines: fc.array(
        fc.string({ minLength: 1 }).map((text) => `a${text.replaceAll(/[\s\p{C}]/gu, '')}`),
        {
          minLength: 1,
          maxLength: 2,
        },
      ),
    }),
    { maxLength: 20 },
  )
  .map((list) => {
    let at = 0;
    return list.map(({ pauseMs, lastsMs, lines }): Cue => {
      const startMs = at + pauseMs;
      at = startMs + lastsMs;
      return { startMs, endMs: at, lines };
    });
  });

/** A reader of its own making: blocks parted by empty lines, as the W3C's parser finds them. */
function parse(file: string): Cue[] {
  const [head, ...blocks] = file.trimEnd().split('\n\n');
  expect(head?.startsWith('WEBVTT')).toBe(true);
  return blocks.map((block) => {
    const [times, ...lines] = block.split('\n');
    const found = /^(\d{2,}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,}):(\d\d):(\d\d)\.(\d{3})$/.exec(times ?? '');
    expect(found).not.toBeNull();
    const [h1, m1, s1, t1, h2, m2, s2, t2] = found!.slice(1).map(Number) as [
      ...[number, number, number, number],
      ...[number, number, number, number],
    ];
    for (const line of lines) {
      expect(line).not.toContain('-->');
      expect(line).not.toMatch(/<|&(?!amp;|lt;|gt;)/);
    }
    const plain = lines.map((line) => line.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
    return {
      startMs: ((h1 * 60 + m1) * 60 + s1) * 1_000 + t1,
      endMs: ((h2 * 60 + m2) * 60 + s2) * 1_000 + t2,
      lines: plain,
    };
  });
}

describe('WebVTT', () => {
  it('is read back as the cues that were written, whatever was said', () => {
    fc.assert(fc.property(cues, (list) => void expect(parse(renderWebVtt(list))).toEqual(list)));
  });

  it('in segments covers the whole time, and holds a cue in every segment that it touches', () => {
    fc.assert(
      fc.property(cues, fc.integer({ min: 1, max: 200_000 }), (list, durationMs) => {
        const segments = segmentWebVtt(list, durationMs, 24_000);
        expect(segments.reduce((sum, segment) => sum + segment.durationMs, 0)).toBe(durationMs);
        for (const [i, { text }] of segments.entries()) {
          expect(text.split('\n')[1]).toBe('X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000');
          const [from, until] = [i * 24_000, Math.min((i + 1) * 24_000, durationMs)];
          expect(parse(text)).toEqual(list.filter(({ startMs, endMs }) => startMs < until && endMs > from));
        }
      }),
    );
  });

  it('counts hours beyond a day', () => {
    const [cue] = parse(renderWebVtt([{ startMs: 360_000_000, endMs: 360_001_500, lines: ['late'] }]));
    expect(cue).toEqual({ startMs: 360_000_000, endMs: 360_001_500, lines: ['late'] });
  });
});
