import type { MediaTag } from '@millrace/flv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aSource, otherAvcRecord, type PackagedRun, packageAll, type SourceShape } from '../testing.ts';
import type { PackagedPart } from './packaged-part.ts';

const of = (run: PackagedRun, rendition: string) => run.parts.filter((part) => part.rendition === rendition);
const rateOf = { video: 90_000, audio: 48_000 };

/** Parts of a rendition, grouped by segment. */
function segmentsOf(parts: readonly PackagedPart[]): PackagedPart[][] {
  const segments = new Map<number, PackagedPart[]>();
  for (const part of parts) segments.set(part.segment, [...(segments.get(part.segment) ?? []), part]);
  return [...segments.values()];
}

/** What every playlist of a run promises. */
function expectPromises(run: PackagedRun, rates: Readonly<Record<string, number>> = rateOf) {
  const settings = run.opens[0];
  if (settings === undefined) throw new Error('the window was never opened');
  const { targetDurationS, partTargetS } = settings;
  const broken: string[] = [];
  for (const [rendition, rate] of Object.entries(rates)) {
    const segments = segmentsOf(of(run, rendition));
    const oneTimeline = run.discontinuities.length === 0;
    segments.forEach((parts, s) => {
      const durationS = parts.reduce((sum, part) => sum + part.duration, 0) / rate;
      const check = (kept: boolean, promise: string, part?: PackagedPart) => {
        if (!kept) broken.push(`${rendition} ${s}.${part?.part ?? ''}: ${promise}`);
      };
      check(Math.round(durationS) <= targetDurationS, `segment of ${durationS} s`);
      parts.forEach((part, i) => {
        const next = parts[i + 1];
        const partS = part.duration / rate;
        check(part.part === i, 'parts are numbered from 0', part);
        check(partS > 0 && partS <= partTargetS, `part of ${partS} s, target ${partTargetS} s`, part);
        check((part.programDateTimeMs === undefined) === i > 0, 'part 0 has a date', part);
        if (oneTimeline || next) check(part.last === (!next && s < segments.length - 1), 'the last part says so', part);
        if (next === undefined) return;
        const hole = next.dts - part.dts - part.duration;
        check(rendition === 'video' ? hole === 0 : hole >= 0, `followed by a hole of ${hole} ticks`, part);
        // But the last of a segment, and one before a lone long frame that is the last.
        if (i < parts.length - 2) check(partS >= 0.85 * partTargetS, `part of ${partS} s is under 85 %`, part);
      });
      const following = segments[s + 1]?.[0];
      const end = parts.at(-1);
      if (following && end && oneTimeline) check(following.dts >= end.dts + end.duration, 'segments do not overlap');
    });
  }
  expect(broken).toEqual([]);
}

describe('an ordinary stream', () => {
  const run = packageAll(aSource({ durationMs: 10_000 }));

  it('of 30 frames a second and a 2 s GOP gets parts of 6 frames and segments of 2 s at keyframes', () => {
    expect(run.opens).toEqual([{ targetDurationS: 2, partDurationMs: 200, partTargetS: 0.216 }]);
    const video = segmentsOf(of(run, 'video'));
    expect(video).toHaveLength(5);
    for (const parts of video) {
      expect(parts.map((part) => Math.round(part.duration / 900))).toEqual(Array(10).fill(20));
      expect(parts.map((part) => part.independent)).toEqual([true, ...Array(9).fill(false)]);
    }
    expectPromises(run);
    expect(run.drops.size).toBe(0);
  });

  it('has audio segments with equal numbers that begin with the first frame at or after the video’s cut', () => {
    const video = segmentsOf(of(run, 'video')).map((parts) => parts[0]);
    const audio = segmentsOf(of(run, 'audio')).map((parts) => parts[0]);
    expect(audio.map((part) => part?.segment)).toEqual(video.map((part) => part?.segment));
    audio.forEach((part, i) => {
      const lateMs = (part?.dts ?? 0) / 48 - (video[i]?.dts ?? 0) / 90;
      expect(lateMs).toBeGreaterThanOrEqual(-1);
      expect(lateMs).toBeLessThan(22);
    });
  });

  it('dates each segment by its first presentation time', () => {
    const dates = segmentsOf(of(run, 'video')).map((parts) => parts[0]?.programDateTimeMs);
    expect(dates).toEqual([0, 2_000, 4_000, 6_000, 8_000].map((ms) => 1_700_000_000_000 + ms));
  });

  it('closes a part as soon as the frame behind it arrives', () => {
    const tags = aSource({ durationMs: 3_000, audio: false });
    const upTo = (ms: number) =>
      packageAll(
        tags.filter((tag) => tag.timestampMs <= ms),
        { flush: false },
      );
    const before = upTo(2_399).parts.at(-1);
    const after = upTo(2_400).parts.at(-1);
    expect([before?.segment, before?.part, after?.segment, after?.part]).toEqual([1, 0, 1, 1]);
  });

  it.each([
    [24, 'low', 5],
    [25, 'low', 5],
    [30, 'low', 6],
    [50, 'low', 10],
    [60, 'low', 12],
    [15, 'low', 3],
    [5, 'low', 1],
    [1, 'low', 1],
    [24, 'standard', 8],
    [25, 'standard', 8],
    [30, 'standard', 10],
    [60, 'standard', 20],
  ] as const)(
    'at %d frames a second keeps every promise, latency mode %s (%d frames a part)',
    (rate, latencyMode, frames) => {
      const run = packageAll(aSource({ durationMs: 9_000, frameMs: 1_000 / rate, gopFrames: rate * 2 }), {
        latencyMode,
      });
      expectPromises(run);
      expect(run.opens[0]?.partDurationMs).toBeCloseTo((1_000 / rate) * frames, 0);
    },
  );

  it.each([8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 96_000])(
    'with %d Hz audio keeps every promise in both tracks',
    (sampleRate) => {
      const tags = aSource({ durationMs: 7_000, sampleRate }).map(
        (tag): MediaTag => (tag.kind === 'audio-config' ? { ...tag, record: aacRecordOf(sampleRate) } : tag),
      );
      const run = packageAll(tags);
      expectPromises(run, { video: 90_000, audio: sampleRate });
      expect(of(run, 'audio').length).toBeGreaterThan(10);
    },
  );
});

describe('target duration', () => {
  it('is 4 when the second keyframe does not come within 2 s, and long GOPs are cut within it', () => {
    const run = packageAll(aSource({ durationMs: 20_000, gopFrames: 250 }));
    expect(run.opens[0]?.targetDurationS).toBe(4);
    expectPromises(run);
    const starts = segmentsOf(of(run, 'video')).map((parts) => parts[0]?.independent);
    expect(starts.filter(Boolean)).toHaveLength(3); // each keyframe begins a segment, also shortly after a forced cut
  });

  it('is 2 for a GOP of 2.05 s and of half a second', () => {
    for (const gopFrames of [61, 15, 30]) {
      const run = packageAll(aSource({ durationMs: 9_000, gopFrames }));
      expect(run.opens[0]?.targetDurationS).toBe(2);
      expectPromises(run);
      for (const parts of segmentsOf(of(run, 'video'))) expect(parts[0]?.independent).toBe(true);
    }
  });
});

describe('frames that come late', () => {
  it('never make a part longer than the part target, and presentation times stay', () => {
    const run = packageAll(aSource({ durationMs: 12_000, missing: (i) => i > 90 && i % 60 !== 0 && i % 17 < 6 }));
    expectPromises(run);
  });

  it('of a second and more keep decode times contiguous up to the next keyframe', () => {
    const run = packageAll(aSource({ durationMs: 12_000, missing: (i) => i >= 130 && i < 165, audio: false }));
    expectPromises(run, { video: 90_000 });
    expect(of(run, 'video').reduce((sum, part) => sum + part.duration, 0)).toBeGreaterThan(11.9 * 90_000);
  });

  it('all the time (1 frame a second after 30) keep the promises of the window', () => {
    const slow = (i: number) => i > 120 && i % 30 !== 0;
    expectPromises(packageAll(aSource({ durationMs: 20_000, missing: slow })));
  });

  it('in any pattern, with jitter and B-frames, keep the promises of the window', () => {
    fc.assert(
      fc.property(shapeArb, (shape) => expectPromises(packageAll(aSource(shape)), ratesOf(shape))),
      { numRuns: 120 },
    );
  });
});

describe('tracks', () => {
  it('that stand alone are packaged alone', () => {
    const audio = packageAll(aSource({ durationMs: 8_000, video: false }));
    expectPromises(audio, { audio: 48_000 });
    expect(segmentsOf(of(audio, 'audio')).length).toBeGreaterThan(3);
    const video = packageAll(aSource({ durationMs: 8_000, audio: false }));
    expectPromises(video, { video: 90_000 });
    expect(of(video, 'audio')).toEqual([]);
  });

  it('that appear late open the window again with a discontinuity', () => {
    const tags = aSource({ durationMs: 9_000 }).filter(
      (tag) => tag.kind !== 'audio-config' && (tag.kind !== 'audio-frame' || tag.timestampMs > 4_500),
    );
    const config = aSource({ durationMs: 1 }).filter((tag) => tag.kind === 'audio-config');
    const at = tags.findIndex((tag) => tag.timestampMs > 4_500);
    const run = packageAll([...tags.slice(0, at), ...config, ...tags.slice(at)]);
    expect(run.discontinuities).toEqual(['track-change']);
    expect(of(run, 'audio').length).toBeGreaterThan(0);
    expectPromises(run);
  });

  it('that fall silent are filled with silence, so that the other goes on', () => {
    const tags = aSource({ durationMs: 12_000 }).filter(
      (tag) => tag.kind !== 'audio-frame' || tag.timestampMs < 5_000 || tag.timestampMs > 9_000,
    );
    const run = packageAll(tags);
    expectPromises(run);
    expect(run.silence).toBeGreaterThan(100);
    expect(of(run, 'audio').at(-1)?.endMs).toBeGreaterThan(11_900);
  });

  it('that end at any moment, audio up to a second late, have begun the same segments', () => {
    const ends = fc.record({
      gopFrames: fc.integer({ min: 8, max: 90 }),
      lateMs: fc.integer({ min: -400, max: 1_000 }),
      tags: fc.integer({ min: 250, max: 500 }),
    });
    fc.assert(
      fc.property(ends, ({ gopFrames, lateMs, tags }) => {
        const run = packageAll(withLateAudio({ durationMs: 9_000, gopFrames }, lateMs).slice(0, tags));
        const [video, audio] = ['video', 'audio'].map((name) => of(run, name));
        expect(audio?.at(-1)?.segment).toBe(video?.at(-1)?.segment);
        expect(segmentsOf(audio ?? [])).toHaveLength(segmentsOf(video ?? []).length);
        expectPromises(run);
      }),
      { numRuns: 150 },
    );
  });

  it('that end with audio short of a segment get silence up to the end of the video, and no more', () => {
    const tags = withLateAudio({ durationMs: 5_200, gopFrames: 30 }, 400).filter((tag) => arrivalMs(tag, 400) < 5_200);
    const run = packageAll(tags);
    expect([of(run, 'video').at(-1)?.segment, of(run, 'audio').at(-1)?.segment]).toEqual([5, 5]);
    expect(Math.abs((of(run, 'audio').at(-1)?.endMs ?? 0) - 5_200)).toBeLessThan(50);
    expect(run.silence).toBeGreaterThan(15);
    expect(run.silence).toBeLessThan(22);
    const even = packageAll(tags.filter((tag) => tag.kind !== 'video-frame' || tag.timestampMs < 4_990));
    expect(even.silence).toBe(0);
  });

  it('in another codec begin a discontinuity at the next keyframe', () => {
    const tags = aSource({ durationMs: 9_000 });
    const at = tags.findIndex((tag) => tag.kind === 'video-frame' && tag.timestampMs >= 5_000);
    const change: MediaTag = { kind: 'video-config', codec: 'avc', timestampMs: 5_000, record: otherAvcRecord };
    const run = packageAll([...tags.slice(0, at), change, ...tags.slice(at)]);
    expect(run.discontinuities).toEqual(['codec-change']);
    expect(of(run, 'video').find((part) => part.dts >= 5_000 * 90)).toMatchObject({ part: 0, dts: 6_000 * 90 });
    expectPromises(run);
  });
});

describe('timestamps', () => {
  it('that jump back or ahead by more than 3 s start a discontinuity, and dates go on', () => {
    for (const startMs of [100_000, 1_000]) {
      const before = aSource({ durationMs: 6_000, startMs: 50_000 });
      const after = aSource({ durationMs: 6_000, startMs }).filter((tag) => !tag.kind.endsWith('config'));
      const run = packageAll([...before, ...after]);
      expect(run.discontinuities).toEqual(['timestamp-jump']);
      expectPromises(run);
      const dates = of(run, 'video').flatMap((part) => part.programDateTimeMs ?? []);
      expect(dates).toEqual([...dates].sort((a, b) => a - b));
      expect(run.opens).toHaveLength(2);
    }
  });

  it('beyond 32 bits keep their decode times', () => {
    const run = packageAll(aSource({ durationMs: 5_000, startMs: 2 ** 32 - 2_000 }));
    expect(run.discontinuities).toEqual([]);
    expect(of(run, 'video')[0]?.dts).toBe((2 ** 32 - 2_000) * 90);
    expectPromises(run);
  });

  it('of audio that drift by more than 40 ms are followed, and parts never overlap', () => {
    for (const slope of [1.01, 0.99]) {
      const tags = aSource({ durationMs: 20_000 }).map(
        (tag): MediaTag =>
          tag.kind === 'audio-frame' ? { ...tag, timestampMs: Math.round(tag.timestampMs * slope) } : tag,
      );
      const run = packageAll(tags.sort((a, b) => a.timestampMs - b.timestampMs));
      expectPromises(run);
      const end = of(run, 'audio').at(-1)?.endMs ?? 0;
      expect(Math.abs(end - 20_000 * slope)).toBeLessThan(250);
    }
  });
});

describe('garbage', () => {
  it('is dropped and counted, and the stream goes on', () => {
    const tags = aSource({ durationMs: 6_000 });
    const garbage: MediaTag[] = [
      { kind: 'video-config', codec: 'avc', timestampMs: 0, record: Uint8Array.of(1, 2, 3) },
      { kind: 'audio-frame', timestampMs: -5, payload: Uint8Array.of(1) },
      { kind: 'audio-frame', timestampMs: 900_000, payload: Uint8Array.of(1) },
      { kind: 'data', timestampMs: 0, payload: Uint8Array.of(1) },
    ];
    const run = packageAll([...tags.slice(0, 200), ...garbage, ...tags.slice(200)]);
    expect(Object.fromEntries(run.drops)).toMatchObject({ 'bad-config': 1, 'negative-time': 1, 'audio-off-clock': 1 });
    expect(run.discontinuities).toEqual([]);
    expectPromises(run);
  });
});

/** When a tag arrives whose encoder sends audio `lateMs` behind its video, ms. */
function arrivalMs(tag: MediaTag, lateMs: number): number {
  return tag.timestampMs + (tag.kind === 'audio-frame' ? lateMs : 0);
}

/** The tags of an encoder that sends audio `lateMs` behind its video, in that order. */
function withLateAudio(shape: SourceShape, lateMs: number): MediaTag[] {
  const tags = aSource(shape);
  const headers = tags.filter((tag) => tag.kind.endsWith('config'));
  const media = tags.filter((tag) => !tag.kind.endsWith('config'));
  return [...headers, ...media.sort((a, b) => arrivalMs(a, lateMs) - arrivalMs(b, lateMs))];
}

const shapeArb: fc.Arbitrary<SourceShape> = fc
  .record({
    durationMs: fc.integer({ min: 3_000, max: 14_000 }),
    startMs: fc.nat(1_000_000),
    frameMs: fc.constantFrom(1_000 / 60, 1_001 / 30, 1_000 / 30, 40, 1_000 / 24, 100, 200),
    gopFrames: fc.integer({ min: 5, max: 300 }),
    bFrames: fc.boolean(),
    audio: fc.boolean(),
    seed: fc.nat(1_000),
    lossPercent: fc.constantFrom(0, 0, 3, 30),
    jitter: fc.constantFrom(0, 0, 3, 12),
  })
  .map(({ seed, lossPercent, jitter, ...shape }) => ({
    ...shape,
    missing: (i: number) => i % shape.gopFrames !== 0 && noise(i, seed) % 100 < lossPercent,
    jitterMs: (i: number) => (jitter === 0 ? 0 : (noise(i, seed + 7) % (2 * jitter + 1)) - jitter),
  }));

function ratesOf(shape: SourceShape): Record<string, number> {
  return shape.audio ? rateOf : { video: 90_000 };
}

/** A repeatable number for frame `i`. */
function noise(i: number, seed: number): number {
  let x = (i + 1) * 2_654_435_761 + seed * 40_503;
  x = Math.imul(x ^ (x >>> 15), 2_246_822_519);
  return (x ^ (x >>> 13)) >>> 0;
}

function aacRecordOf(sampleRate: number): Uint8Array {
  const rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];
  const bits = (2 << 11) | (rates.indexOf(sampleRate) << 7) | (2 << 3);
  return Uint8Array.of(bits >> 8, bits & 0xff);
}
