import { writePart } from '@millrace/cmaf';
import type { ListedFrame } from '@millrace/handover';
import type { CutPart } from './cut-part.ts';
import type { ProgramDate } from './program-date.ts';
import { trackId } from './track-formats.ts';

/** A part as it is to be written; stream and epoch are the writer's. */
export interface PackagedPart {
  readonly rendition: string;
  readonly segment: number;
  readonly part: number;
  readonly dts: number;
  readonly duration: number;
  readonly independent: boolean;
  readonly programDateTimeMs: number | undefined;
  readonly last: boolean;
  readonly bytes: readonly Uint8Array[];
  /** Media time at its end, ms. */
  readonly endMs: number;
  readonly lastFrame?: ListedFrame | undefined;
}

/** Boxes a cut part of `rendition` and dates it. Media bytes stay where they are. */
export function packagePart(rendition: string, part: CutPart, ticksPerMs: number, dates: ProgramDate): PackagedPart {
  const startMs = part.dts / ticksPerMs;
  const endMs = (part.dts + part.duration) / ticksPerMs;
  const compositionMs = (part.samples[0]?.compositionTicks ?? 0) / ticksPerMs;
  dates.advance(endMs);
  return {
    rendition,
    segment: part.segment,
    part: part.part,
    dts: part.dts,
    duration: part.duration,
    independent: part.independent,
    programDateTimeMs: part.part === 0 ? dates.at(startMs + compositionMs) : undefined,
    last: part.last,
    bytes: writePart({
      // Rises with every part, and is the same whoever writes it.
      sequence: (part.segment * 1_024 + part.part) >>> 0,
      trackId,
      baseDts: part.dts,
      samples: part.samples,
      payloads: part.payloads,
      segmentStart: part.part === 0,
    }),
    endMs,
    lastFrame: part.lastFrame,
  };
}
