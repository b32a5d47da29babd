import type { ProbedFile } from '@millrace/ffmpeg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaFactsOf, originMs, PacketSurvey } from './media-facts.ts';

const video = {
  ...{
    index: 0,
    codec: 'h264',
    profile: 'High',
    width: 640,
    height: 360,
    codedWidth: 640,
    codedHeight: 360,
    rotation: 0,
  },
  ...{ averageRate: 25, finestRate: 25, bitsPerSecond: undefined, pixelFormat: 'yuv420p', fieldOrder: 'progressive' },
  ...{ colorTransfer: undefined, colorRange: undefined, startMs: 0, durationMs: 1_000 },
} as const;
const file: ProbedFile = {
  ...{ format: 'matroska,webm', startMs: 0, durationMs: 9_999_999, sizeBytes: 10, streams: 1 },
  ...{ video, audio: undefined },
};
const packet = (ptsMs: number | undefined, keyframe = false, index = 0) => ({ index, ptsMs, durationMs: 40, keyframe });

describe('facts of a file', () => {
  it('are as long as its packets, whatever the header claims', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { minLength: 1 }), (times) => {
        const survey = new PacketSurvey(file);
        for (const time of times) survey.take(packet(time));
        expect(mediaFactsOf(file, survey).duration_ms).toBe(Math.max(...times) + 40);
      }),
    );
  });

  it('count time from the start of the file, wherever that is', () => {
    const late = { ...file, startMs: 3_600_000, video: { ...video, startMs: 3_600_000 } };
    const survey = new PacketSurvey(late);
    for (let i = 0; i < 50; i++) survey.take(packet(3_600_000 + i * 40, i % 25 === 0));
    expect(survey.keyframesMs).toEqual([0, 1_000]);
    expect(mediaFactsOf(late, survey)).toMatchObject({ duration_ms: 2_000, video: { frames_per_second: 25 } });
  });

  it('take the rate of the packets where the header says something quite different, or nothing', () => {
    for (const averageRate of [0, 1_000, 5]) {
      const survey = new PacketSurvey(file);
      for (let i = 0; i < 50; i++) survey.take(packet(i * 40));
      const claimed = { ...file, video: { ...video, averageRate, finestRate: 90_000 } };
      expect(mediaFactsOf(claimed, survey).video?.frames_per_second).toBe(25);
    }
  });

  it('take no other stream for the picture, and bear packets without a time', () => {
    const survey = new PacketSurvey(file);
    survey.take(packet(undefined, true));
    survey.take(packet(5_000, true, 7));
    expect([survey.endMs, survey.averageRate, survey.keyframesMs]).toEqual([0, 0, []]);
  });
});

it('keyframes are told in order, far enough apart, and never more than ten thousand', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 5_000 }), (count, gap) => {
      const survey = new PacketSurvey(file);
      for (let i = 0; i < count; i++) survey.take(packet(i * gap, true));
      const told = survey.keyframesMs;
      expect(told.length).toBeLessThanOrEqual(10_000);
      expect(told[0]).toBe(0);
      told.slice(1).forEach((time, i) => {
        expect(time % gap).toBe(0);
        expect(time - (told[i] ?? 0)).toBeGreaterThanOrEqual(500);
      });
      // Spans of twenty seconds can still be cut.
      if (count * gap > 60_000) expect(told.length).toBeGreaterThan(2);
    }),
    { numRuns: 20 },
  );
});

it('the timeline begins with the first picture, unless there is something to hear well before it', () => {
  const at = (startMs: number, pictureMs: number | undefined) =>
    originMs({ startMs, video: pictureMs === undefined ? undefined : { ...video, startMs: pictureMs } });
  expect(at(-21, 17)).toBe(17);
  expect(at(0, 0)).toBe(0);
  expect(at(0, 1_500)).toBe(0);
  expect(at(3_600_000, undefined)).toBe(3_600_000);
});
