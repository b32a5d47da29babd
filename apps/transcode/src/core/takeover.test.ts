import type { MediaTag } from '@millrace/flv';
import type { WindowState } from '@millrace/handover';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aSource, otherAvcRecord, type PackagedRun, packageAll, type SourceShape } from '../testing.ts';
import type { PackagedPart } from './packaged-part.ts';

const rates: Readonly<Record<string, number>> = { video: 90_000, audio: 48_000 };

/** The state of a window that took `parts`, as delivery tells it. */
function stateAfter(run: PackagedRun, parts: readonly PackagedPart[], names: readonly string[]): WindowState {
  const settings = run.opens[0];
  if (settings === undefined) throw new Error('no window');
  return {
    settings,
    fresh: parts.length === 0,
    renditions: names.map((name) => {
      const mine = parts.filter((part) => part.rendition === name);
      const end = mine.at(-1);
      const segments = new Map<number, { segment: number; startDts: number; complete: boolean }>();
      for (const { segment, dts, last } of mine) {
        segments.set(segment, { segment, startDts: segments.get(segment)?.startDts ?? dts, complete: last });
      }
      const next =
        end === undefined
          ? { segment: 0, part: 0 }
          : end.last
            ? { segment: end.segment + 1, part: 0 }
            : { segment: end.segment, part: end.part + 1 };
      const nextDts = end && end.dts + end.duration;
      return { name, next, nextDts, lastFrame: end?.lastFrame, segments: [...segments.values()].slice(-8) };
    }),
  };
}

/** What ingest keeps: from the newest keyframe at least 500 ms before what every rendition has listed. */
function cachedFrom(tags: readonly MediaTag[], parts: readonly PackagedPart[], names: readonly string[]): MediaTag[] {
  const packagedMs = Math.min(
    ...names.map((name) => parts.findLast((part) => part.rendition === name)?.endMs ?? Number.NEGATIVE_INFINITY),
  );
  let lastMs = Number.NEGATIVE_INFINITY;
  const starts = tags.flatMap((tag, i) => {
    if (tag.kind === 'video-frame') return tag.keyframe ? [i] : [];
    if (names.includes('video') || tag.kind !== 'audio-frame' || tag.timestampMs - lastMs < 1_000) return [];
    lastMs = tag.timestampMs;
    return [i];
  });
  const reach = starts.findLast((i) => (tags[i]?.timestampMs ?? 0) <= packagedMs - 500) ?? starts[0] ?? 0;
  return [...tags.slice(0, reach).filter((tag) => tag.kind.endsWith('config')), ...tags.slice(reach)];
}

/** Worker A until `taken` of its parts are listed, then worker B. */
function withTakeover(tags: readonly MediaTag[], alone: PackagedRun, taken: number, names: readonly string[]) {
  const listed = alone.parts.slice(0, taken);
  const state = stateAfter(alone, listed, names);
  const successor = packageAll(cachedFrom(tags, listed, names), {
    stateOf: () => state,
    originTimestampMs: tags[0]?.timestampMs ?? 0,
  });
  return { parts: [...listed, ...successor.parts], successor };
}

/** The list of parts of each rendition, bytes included. */
function listOf(parts: readonly PackagedPart[], names: readonly string[]) {
  return names.map((name) =>
    parts
      .filter((part) => part.rendition === name)
      .map(({ bytes, ...part }) => ({ ...part, bytes: Buffer.concat(bytes).toString('latin1') })),
  );
}

const shapeArb: fc.Arbitrary<SourceShape & { video: boolean; audio: boolean }> = fc
  .record({
    durationMs: fc.integer({ min: 4_000, max: 10_000 }),
    startMs: fc.nat(100_000),
    frameMs: fc.constantFrom(1_000 / 60, 1_001 / 30, 1_000 / 30, 40, 1_000 / 24, 100),
    gopFrames: fc.integer({ min: 8, max: 260 }),
    bFrames: fc.boolean(),
    tracks: fc.constantFrom('both', 'both', 'video', 'audio'),
    lossPercent: fc.constantFrom(0, 0, 5, 25),
    audioLossPercent: fc.constantFrom(0, 0, 2, 20),
    seed: fc.nat(1_000),
  })
  .map(({ tracks, lossPercent, audioLossPercent, seed, ...shape }) => ({
    ...shape,
    video: tracks !== 'audio',
    audio: tracks !== 'video',
    missingAudio: (i: number) => i > 0 && (Math.imul(i + seed + 7, 2_654_435_761) >>> 7) % 100 < audioLossPercent,
    missing: (i: number) => i % shape.gopFrames !== 0 && (Math.imul(i + seed, 2_654_435_761) >>> 7) % 100 < lossPercent,
  }));

describe('a take-over', () => {
  it('at any part of any stream gives exactly the parts that one worker alone would have given', () => {
    fc.assert(
      fc.property(shapeArb, fc.double({ min: 0, max: 1, noNaN: true }), (shape, cut) => {
        const tags = aSource(shape);
        const names = [...(shape.video ? ['video'] : []), ...(shape.audio ? ['audio'] : [])];
        const alone = packageAll(tags);
        const taken = 1 + Math.floor(cut * (alone.parts.length - 1));
        const { parts, successor } = withTakeover(tags, alone, taken, names);
        expect(successor.discontinuities).toEqual([]);
        expect(listOf(parts, names)).toEqual(listOf(alone.parts, names));
      }),
      { numRuns: 200 },
    );
  });

  it('at every single part of one stream leaves neither gap nor repeat', () => {
    const tags = aSource({ durationMs: 6_000, gopFrames: 75, bFrames: true });
    const alone = packageAll(tags);
    for (let taken = 1; taken < alone.parts.length; taken++) {
      const { parts } = withTakeover(tags, alone, taken, ['video', 'audio']);
      expect(listOf(parts, ['video', 'audio']), `after ${taken} parts`).toEqual(
        listOf(alone.parts, ['video', 'audio']),
      );
    }
  });

  it('does not wait for a second keyframe, and takes the settings of the window over its own', () => {
    const tags = aSource({ durationMs: 6_000, gopFrames: 60 });
    const alone = packageAll(tags);
    const listed = alone.parts.slice(0, 30);
    const first = cachedFrom(tags, listed, ['video', 'audio']).slice(0, 12);
    const state = stateAfter(alone, listed, ['video', 'audio']);
    const successor = packageAll(first, { stateOf: () => state, originTimestampMs: 0, flush: false });
    expect(successor.opens).toHaveLength(1);
  });

  it('whose cache does not reach back far enough opens the window again with a discontinuity', () => {
    const tags = aSource({ durationMs: 9_000 });
    const alone = packageAll(tags);
    const listed = alone.parts.filter((part) => part.endMs < 3_000);
    const state = stateAfter(alone, listed, ['video', 'audio']);
    const late = [...tags.slice(0, 2), ...tags.filter((tag) => tag.timestampMs >= 6_000)];
    const answers = [state, { ...state, fresh: true, renditions: state.renditions.map(restarted) }];
    const successor = packageAll(late, { originTimestampMs: 0, stateOf: () => answers.shift() ?? state });
    expect(successor.discontinuities).toEqual(['out-of-reach']);
    expect(successor.parts.filter((part) => part.part === 0).slice(0, 2)).toMatchObject([
      { segment: 2, dts: (6_000 * rates['video']!) / 1_000, independent: true },
      { segment: 2 },
    ]);
  });

  it('after a codec change asks for the window that is open', () => {
    const inits: string[] = [];
    const record = (tags: readonly MediaTag[]) =>
      packageAll(tags, {
        stateOf: (settings, renditions) => {
          inits.push(renditions.map((spec) => Buffer.from(spec.init).toString('hex')).join());
          const next = { segment: 0, part: 0 };
          const positions = renditions.map(({ name }) => ({ name, next, nextDts: undefined, segments: [] }));
          return { settings, fresh: true, renditions: positions };
        },
      });
    const change: MediaTag = { kind: 'video-config', codec: 'avc', timestampMs: 4_000, record: otherAvcRecord };
    const after = aSource({ durationMs: 4_000, startMs: 4_000 }).slice(1);
    record([...aSource({ durationMs: 4_000 }), change, ...after]);
    record([change, ...after]);
    expect(inits).toHaveLength(3);
    expect(inits[2]).toBe(inits[1]);
    expect(inits[1]).not.toBe(inits[0]);
  });

  it('of audio whose tail is lost goes on in the same segment, and numbers stay equal', () => {
    const tags = aSource({ durationMs: 9_000 });
    const alone = packageAll(tags);
    const keyframe = tags.findIndex((tag) => tag.kind === 'video-frame' && tag.keyframe && tag.timestampMs >= 4_000);
    // The first video part of the segment at 4 s is listed; the audio before 4 s is not all listed, and not cached.
    const listed = alone.parts.filter((part) => part.endMs < (part.rendition === 'video' ? 4_250 : 3_800));
    const state = stateAfter(alone, listed, ['video', 'audio']);
    const successor = packageAll([...tags.slice(0, 2), ...tags.slice(keyframe)], {
      originTimestampMs: 0,
      stateOf: () => state,
    });
    const audio = successor.parts.filter((part) => part.rendition === 'audio');
    expect(audio[0]).toMatchObject({ segment: 1, last: true });
    expect(audio[1]).toMatchObject({ segment: 2, part: 0 });
    expect(successor.parts.filter((part) => part.rendition === 'video')[0]).toMatchObject({ segment: 2, part: 1 });
  });
});

function restarted(position: WindowState['renditions'][number]): WindowState['renditions'][number] {
  return { ...position, next: { segment: 2, part: 0 }, nextDts: undefined, segments: [] };
}
