import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ProgressReader } from './progress-reader.ts';
import { reasonOf, WordTail } from './words.ts';

/** Feeds `text` in pieces cut at `cuts` and returns what was reported. */
function reports(text: string, cuts: readonly number[]): [ms: number, frames: number][] {
  const seen: [number, number][] = [];
  const reader = new ProgressReader((ms, frames) => seen.push([ms, frames]));
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  places.forEach((place, i) => reader.feed(text.slice(places[i - 1] ?? 0, place)));
  return seen;
}

const block = fc.record({
  us: fc.oneof(fc.integer({ min: -100_000, max: 10 ** 12 }), fc.constant(undefined)),
  frame: fc.nat(1_000_000),
  end: fc.constantFrom('continue', 'end'),
});
const textOf = (us: number | undefined, frame: number, end: string) =>
  `frame=${frame}\nfps=0.0\nout_time_us=${us ?? 'N/A'}\nout_time_ms=${us ?? 'N/A'}\nspeed=2.1x\nprogress=${end}\n`;

it('progress is the same however the text is cut, in ms and pictures, and only ever rises', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 30 }), (blocks, cuts) => {
      const expected: [number, number][] = [];
      let [ms, frames] = [0, 0];
      for (const { us, frame } of blocks) {
        const [nextMs, nextFrames] = [Math.max(ms, Math.floor((us ?? 0) / 1_000)), Math.max(frames, frame)];
        if (nextMs > ms || nextFrames > frames) expected.push([nextMs, nextFrames]);
        [ms, frames] = [nextMs, nextFrames];
      }
      expect(reports(blocks.map(({ us, frame, end }) => textOf(us, frame, end)).join(''), cuts)).toEqual(expected);
    }),
  );
});

it('whatever else comes moves nothing and never throws', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), fc.array(fc.nat()), (text, cuts) => {
      for (const [ms, frames] of reports(text, cuts)) expect(ms >= 0 && frames >= 0).toBe(true);
    }),
  );
});

it('a reason is short, says the last different lines, and shows neither paths of ours nor addresses', () => {
  const path = '/srv/media/videos/vid_1/source';
  const words = `[mov @ 0x55aa01] moov atom not found\n[mov @ 0x55aa02] moov atom not found\nfile:${path}: Invalid data\n`;
  expect(reasonOf(words, [path])).toBe('[mov] moov atom not found; the file: Invalid data');
  fc.assert(
    fc.property(fc.string({ maxLength: 900 }), (text) => {
      const tail = new WordTail(100);
      tail.feed(`${text}${path}`);
      tail.feed(text);
      expect(tail.text.length).toBeLessThanOrEqual(100);
      const reason = reasonOf(`${text} ${path}`, [path]);
      expect(reason.length).toBeLessThanOrEqual(600);
      expect(reason).not.toContain(path);
    }),
  );
});
