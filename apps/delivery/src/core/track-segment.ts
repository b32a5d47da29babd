import type { ListedFrame, PartWrite } from '@millrace/handover';

export interface TrackPart {
  readonly dts: number;
  readonly duration: number;
  readonly independent: boolean;
  /** Bytes before it in its segment, and its own. */
  readonly offset: number;
  readonly size: number;
  /** For a writer that takes over. */
  readonly lastFrame?: ListedFrame | undefined;
}

/** A segment of a rendition, as the window keeps it. Only its track changes it. */
export interface TrackSegment {
  readonly number: number;
  readonly startDts: number;
  readonly discontinuity: boolean;
  /** Discontinuities up to and including its own, since the window began. */
  readonly discontinuitySequence: number;
  readonly programDateTimeMs: number | undefined;
  /** Index of its init section in the track; undefined for a gap before the first. */
  readonly init: number | undefined;
  readonly gap: boolean;
  readonly parts: TrackPart[];
  /** Bytes of each part, as slices; undefined once the store has them and memory was freed. */
  media: (readonly Uint8Array[])[] | undefined;
  durationTicks: number;
  durationS: number;
  size: number;
  complete: boolean;
  archived: boolean;
}

interface SegmentStart {
  readonly number: number;
  readonly discontinuity: boolean;
  readonly discontinuitySequence: number;
}

/** The segment that `write`, its part 0, begins. */
export function beginSegment(write: PartWrite, start: SegmentStart & { readonly init: number }): TrackSegment {
  return {
    ...start,
    startDts: write.dts,
    programDateTimeMs: write.programDateTimeMs,
    gap: false,
    parts: [],
    media: [],
    durationTicks: 0,
    durationS: 0,
    size: 0,
    complete: false,
    archived: false,
  };
}

/** A segment that a rendition never got while another did. It is as long as the target: nobody knows better. */
export function gapSegment(last: TrackSegment | undefined, start: SegmentStart, targetDurationS: number): TrackSegment {
  const dateTimeMs = last?.programDateTimeMs;
  return {
    ...start,
    startDts: last === undefined ? 0 : last.startDts + last.durationTicks,
    programDateTimeMs: dateTimeMs === undefined ? undefined : dateTimeMs + (last?.durationS ?? 0) * 1000,
    init: last?.init,
    gap: true,
    parts: [],
    media: undefined,
    durationTicks: 0,
    durationS: targetDurationS,
    size: 0,
    complete: true,
    archived: false,
  };
}

/** Adds a part to an open segment. Returns its bytes. */
export function addPart(segment: TrackSegment, write: PartWrite, timescale: number): number {
  if (segment.media === undefined || segment.complete) throw new Error(`segment ${segment.number} is not open`);
  const size = write.bytes.reduce((sum, slice) => sum + slice.byteLength, 0);
  const { dts, duration, independent, lastFrame } = write;
  segment.parts.push({ dts, duration, independent, offset: segment.size, size, lastFrame });
  segment.media.push(write.bytes);
  segment.size += size;
  segment.durationTicks += duration;
  segment.durationS = segment.durationTicks / timescale;
  return size;
}

/** Sum of the durations, s. */
export function totalS(segments: readonly TrackSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.durationS, 0);
}

/** The number of the first of `segments` that ends at most `seconds` before the end of the last one. */
export function firstWithin(segments: readonly TrackSegment[], seconds: number): number | undefined {
  let afterS = 0;
  for (let i = segments.length - 1; i >= 0; i--) {
    if (afterS > seconds) return segments[i + 1]?.number;
    afterS += segments[i]?.durationS ?? 0;
  }
  return segments[0]?.number;
}

/** Byte equality of two init sections. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
