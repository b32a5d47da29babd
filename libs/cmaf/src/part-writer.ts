/**
 * A part is one CMAF chunk (ISO 23000-19 7.3.3): moof with one traf, one tfdt and one trun, and its mdat. The media bytes
 * are never copied: the part is the header and the payloads by reference, adjacent ones as one slice.
 */
import { writeBoxHeader } from './box.ts';
import { nonSyncBit, sampleFlags } from './track-format.ts';

export interface PartSample {
  readonly durationTicks: number;
  /** Bytes of its payload. */
  readonly size: number;
  readonly keyframe: boolean;
  /** PTS - DTS, signed. */
  readonly compositionTicks: number;
}

export interface PartInput {
  /** mfhd sequence number. */
  readonly sequence: number;
  readonly trackId: number;
  /** tfdt: decode time of the first sample, ticks. */
  readonly baseDts: number;
  /** At least one, in decode order. */
  readonly samples: readonly PartSample[];
  /** The samples' bytes in order; their sizes must add up to those of the samples. */
  readonly payloads: readonly Uint8Array[];
  /** Puts a styp in front: the part starts a segment. */
  readonly segmentStart: boolean;
}

const stypBytes = 28;
const tfhdFlags = { defaultBaseIsMoof: 0x2_0000, defaultDuration: 0x08, defaultFlags: 0x20 } as const;
const trunFlags = {
  dataOffset: 0x01,
  firstFlags: 0x04,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  composition: 0x800,
} as const;

/** Writes one part: [styp? moof mdat-header, payload slices...]. */
export function writePart(part: PartInput): readonly Uint8Array[] {
  const { samples } = part;
  const first = samples[0];
  if (first === undefined) throw new Error('a part has at least one sample');
  let evenDurations = true;
  let composed = false;
  let laterKeyframes = 0;
  let dependents = 0;
  let mediaBytes = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as PartSample;
    if (sample.durationTicks !== first.durationTicks) evenDurations = false;
    if (sample.compositionTicks !== 0) composed = true;
    if (sample.keyframe && i > 0) laterKeyframes++;
    if (!sample.keyframe) dependents++;
    mediaBytes += sample.size;
  }
  // Flags: all the same is a default; a keyframe in front of dependent ones is the first-sample form; else one each.
  const eachFlags = laterKeyframes > 0 && dependents > 0;
  const firstFlags = !eachFlags && first.keyframe && dependents > 0;
  const trun =
    trunFlags.dataOffset |
    trunFlags.size |
    (firstFlags ? trunFlags.firstFlags : 0) |
    (eachFlags ? trunFlags.flags : 0) |
    (evenDurations ? 0 : trunFlags.duration) |
    (composed ? trunFlags.composition : 0);
  const sampleBytes = 4 + (eachFlags ? 4 : 0) + (evenDurations ? 0 : 4) + (composed ? 4 : 0);
  const trunBytes = 20 + (firstFlags ? 4 : 0) + samples.length * sampleBytes;
  const tfhdBytes = 16 + (evenDurations ? 4 : 0) + 4;
  const trafBytes = 8 + tfhdBytes + 20 + trunBytes;
  const moofBytes = 8 + 16 + trafBytes;
  const stypSize = part.segmentStart ? stypBytes : 0;

  const head = new Uint8Array(stypSize + moofBytes + 8);
  const view = new DataView(head.buffer);
  let at = 0;
  if (part.segmentStart) at = writeStyp(view, at);
  at = writeBoxHeader(view, at, moofBytes, 'moof');
  at = writeBoxHeader(view, at, 16, 'mfhd');
  view.setUint32(at + 4, part.sequence);
  at = writeBoxHeader(view, at + 8, trafBytes, 'traf');
  at = writeBoxHeader(view, at, tfhdBytes, 'tfhd');
  const durationFlag = evenDurations ? tfhdFlags.defaultDuration : 0;
  view.setUint32(at, tfhdFlags.defaultBaseIsMoof | tfhdFlags.defaultFlags | durationFlag);
  view.setUint32(at + 4, part.trackId);
  at += 8;
  if (evenDurations) {
    view.setUint32(at, first.durationTicks);
    at += 4;
  }
  view.setUint32(at, dependents === 0 ? sampleFlags.sync : sampleFlags.dependent);
  at = writeBoxHeader(view, at + 4, 20, 'tfdt');
  view.setUint8(at, 1);
  view.setUint32(at + 4, Math.floor(part.baseDts / 2 ** 32));
  view.setUint32(at + 8, part.baseDts >>> 0);
  at = writeBoxHeader(view, at + 12, trunBytes, 'trun');
  view.setUint32(at, 0x0100_0000 | trun); // version 1: signed composition offsets
  view.setUint32(at + 4, samples.length);
  view.setUint32(at + 8, moofBytes + 8);
  at += 12;
  if (firstFlags) {
    view.setUint32(at, sampleFlags.sync);
    at += 4;
  }
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as PartSample;
    if (!evenDurations) {
      view.setUint32(at, sample.durationTicks);
      at += 4;
    }
    view.setUint32(at, sample.size);
    at += 4;
    if (eachFlags) {
      view.setUint32(at, sample.keyframe ? sampleFlags.sync : sampleFlags.dependent);
      at += 4;
    }
    if (composed) {
      view.setInt32(at, sample.compositionTicks);
      at += 4;
    }
  }
  writeBoxHeader(view, at, mediaBytes + 8, 'mdat');
  return mergeAdjacent(head, part.payloads);
}

function writeStyp(view: DataView, start: number): number {
  let at = writeBoxHeader(view, start, stypBytes, 'styp');
  for (const text of ['msdh', '\0\0\0\0', 'msdh', 'cmfs', 'cmfl']) {
    for (let i = 0; i < 4; i++) view.setUint8(at + i, text.charCodeAt(i));
    at += 4;
  }
  return at;
}

/** `head` and the payloads, those that touch in one ArrayBuffer joined into one view. */
function mergeAdjacent(head: Uint8Array, payloads: readonly Uint8Array[]): readonly Uint8Array[] {
  const slices: Uint8Array[] = [head];
  let run = payloads[0];
  for (let i = 1; run !== undefined; i++) {
    const next = payloads[i];
    if (next === undefined) {
      slices.push(run);
    } else if (next.buffer === run.buffer && next.byteOffset === run.byteOffset + run.length) {
      run = new Uint8Array(run.buffer, run.byteOffset, run.length + next.length);
      continue;
    } else slices.push(run);
    run = next;
  }
  return slices;
}

/** Whether sample flags say that decoding can start there. */
export function isSync(flags: number): boolean {
  return (flags & nonSyncBit) === 0;
}
