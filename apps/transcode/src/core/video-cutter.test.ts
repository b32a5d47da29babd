import type { VideoFrame } from '@millrace/flv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CutPart } from './cut-part.ts';
import { cutRules } from './packaging-rules.ts';
import { VideoCutter } from './video-cutter.ts';

const rules = cutRules({ targetDurationS: 2, partDurationMs: 200, partTargetS: 0.216 }, 90_000);

/** Cuts frames at `timesMs`; those whose index is in `keyframes` are keyframes. */
function cut(
  timesMs: readonly number[],
  keyframes: readonly number[] = [0],
  compositionMs: (i: number) => number = () => 0,
) {
  const parts: CutPart[] = [];
  const segments: [number, number][] = [];
  const start = (timesMs[0] ?? 0) * 90;
  const cutter = new VideoCutter(
    rules,
    { segment: 0, part: 0, segmentStart: start, nextDts: start },
    (part) => void parts.push(part),
    (segment, startTicks) => void segments.push([segment, startTicks / 90]),
  );
  const frames = timesMs.map(
    (timestampMs, i): VideoFrame => ({
      kind: 'video-frame',
      timestampMs,
      compositionMs: compositionMs(i),
      keyframe: keyframes.includes(i),
      payload: Uint8Array.of(i & 0xff),
    }),
  );
  for (const frame of frames) cutter.frame(frame);
  cutter.flush();
  return { parts, segments, frames };
}

const inMs = (parts: readonly CutPart[]) =>
  parts.map((part) => [part.dts / 90, part.duration / 90, part.samples.length]);

describe('a part that the next frame would make too long', () => {
  it('is closed before that frame’s predecessor when it lasts long enough without it', () => {
    const { parts } = cut([0, 33, 66, 100, 133, 160, 190, 230, 260]);
    expect(inMs(parts).slice(0, 2)).toEqual([
      [0, 190, 6],
      [190, 100, 3],
    ]);
  });

  it('otherwise ends at the target, and the late frame gets that decode time', () => {
    const { parts } = cut([0, 33, 66, 100, 300, 333, 366, 400]);
    expect(inMs(parts)[0]).toEqual([0, 216, 4]);
    expect(parts[1]?.dts).toBe(216 * 90);
    expect(parts[1]?.samples[0]?.compositionTicks).toBe((300 - 216) * 90);
  });

  it('at the end of a segment keeps both parts within the target', () => {
    const { parts, segments } = cut([0, 300, 600, 900, 1_000, 1_100, 1_290], [0, 6]);
    expect(parts.every((part) => part.duration <= 216 * 90)).toBe(true);
    expect(segments).toEqual([
      [0, 0],
      [1, 1_290],
    ]);
  });
});

describe('presentation times', () => {
  it('are those of the encoder, whatever happens to decode times', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 100, max: 2_900 })), {
      minLength: 2,
      maxLength: 120,
    });
    fc.assert(
      fc.property(steps, fc.array(fc.nat(119)), (gaps, keyframes) => {
        let time = 1_000;
        const times = gaps.map((gap) => (time += gap));
        const { parts, frames } = cut(times, [0, ...keyframes], (i) => (i % 3) * 33);
        const shown = parts.flatMap((part) => {
          let dts = part.dts;
          return part.samples.map((sample) => {
            const at = dts + sample.compositionTicks;
            dts += sample.durationTicks;
            return at;
          });
        });
        expect(shown).toEqual(frames.map((frame) => (frame.timestampMs + frame.compositionMs) * 90));
        expect(parts.flatMap((part) => part.payloads.map((payload) => payload[0]))).toEqual(frames.map((_, i) => i));
        expect(parts.every((part) => part.duration <= rules.partLimitTicks)).toBe(true);
      }),
    );
  });
});
