import { describe, expect, it } from 'vitest';
import { AudioCutter, type AudioStart } from './audio-cutter.ts';
import type { CutPart } from './cut-part.ts';
import { cutRules } from './packaging-rules.ts';

const rules = cutRules({ targetDurationS: 2, partDurationMs: 200, partTargetS: 0.216 }, 48_000);
const payload = Uint8Array.of(1);
const frameMs = 1_024 / 48;

function aCutter(start: Partial<AudioStart> = {}) {
  const parts: CutPart[] = [];
  const cutter = new AudioCutter({
    rules,
    sampleRate: 48_000,
    samplesPerFrame: 1_024,
    alone: false,
    start: { segment: 3, part: 0, segmentStart: 0, nextDts: undefined, ...start },
    emit: (part) => void parts.push(part),
  });
  return { cutter, parts };
}

describe('the audio clock', () => {
  it('counts samples, however the timestamps jitter', () => {
    const { cutter, parts } = aCutter();
    for (let i = 0; i < 60; i++)
      cutter.frame(Math.round(i * frameMs) + (i === 0 ? 0 : (i * 7) % 31) - 15 * Math.sign(i), payload);
    cutter.flush();
    expect(parts.flatMap((part) => part.samples.map((sample) => sample.durationTicks))).toEqual(Array(60).fill(1_024));
    expect(cutter.anchors).toBe(0);
  });

  it('is anchored again after a hole, within the part as far as its target allows', () => {
    const { cutter, parts } = aCutter();
    for (let i = 0; i < 4; i++) cutter.frame(i * frameMs, payload);
    for (let i = 0; i < 4; i++) cutter.frame(1_000 + i * frameMs, payload);
    cutter.flush();
    expect(cutter.anchors).toBe(1);
    expect(parts.map((part) => [part.dts, part.duration])).toEqual([
      [0, rules.partLimitTicks],
      [48_000, 4 * 1_024],
    ]);
  });

  it('never goes back: frames that overlap what is there are left out', () => {
    const { cutter } = aCutter();
    for (let i = 0; i < 10; i++) cutter.frame(i * frameMs, payload);
    expect(cutter.frame(100, payload)).toBe('overlap');
    expect(cutter.frame(10 * frameMs, payload)).toBe('taken');
  });

  it('of a successor lies on the grid of what is listed, and listed frames are left out', () => {
    const { cutter, parts } = aCutter({ segment: 5, part: 2, segmentStart: 1_000, nextDts: 1_000 + 20 * 1_024 });
    const outcomes = Array.from({ length: 30 }, (_, i) =>
      cutter.frame(Math.round(1_000 / 48 + i * frameMs) + 3, payload),
    );
    cutter.flush();
    expect(outcomes.filter((outcome) => outcome === 'listed')).toHaveLength(20);
    expect(parts[0]).toMatchObject({ segment: 5, part: 2, dts: 1_000 + 20 * 1_024 });
  });
});

describe('the video’s cut', () => {
  it('ends the segment before the first frame at or after it', () => {
    const { cutter, parts } = aCutter();
    cutter.cut(3, 0);
    cutter.cut(4, 45_000); // 500 ms
    for (let i = 0; i < 40; i++) cutter.frame(i * frameMs, payload);
    cutter.flush();
    const first = parts.find((part) => part.segment === 4);
    expect(first).toMatchObject({ part: 0, dts: Math.ceil(500 / frameMs) * 1_024 });
    expect(parts[parts.indexOf(first!) - 1]).toMatchObject({ segment: 3, last: true });
  });

  it('gives one frame to a segment that has none of its own, so that numbers stay equal', () => {
    const { cutter, parts } = aCutter();
    for (let i = 0; i < 5; i++) cutter.frame(i * frameMs, payload);
    cutter.cut(4, 500 * 90);
    cutter.cut(5, 600 * 90);
    for (let i = 0; i < 5; i++) cutter.frame(700 + i * frameMs, payload);
    cutter.flush();
    expect(parts.map((part) => [part.segment, part.samples.length, part.last])).toEqual([
      [3, 5, true],
      [4, 1, true],
      [5, 4, false],
    ]);
  });

  it('that does not come leaves out what would make the segment longer than the target', () => {
    const { cutter, parts } = aCutter();
    const outcomes = Array.from({ length: 200 }, (_, i) => cutter.frame(i * frameMs, payload));
    cutter.flush();
    expect(outcomes.at(-1)).toBe('no-room');
    expect(parts.reduce((sum, part) => sum + part.duration, 0)).toBeLessThanOrEqual(2.5 * 48_000);
  });
});
