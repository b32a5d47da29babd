import { err, ok, type Result } from '@millrace/result';
import { findBox, readBoxes, viewOf } from './box.ts';
import type { CmafError } from './track-format.ts';

/** What an init section says about its only track. */
export interface InitSection {
  readonly kind: 'video' | 'audio';
  readonly trackId: number;
  readonly timescale: number;
  /** RFC 6381. */
  readonly codecs: string;
  /** Pixels; video only. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Audio only. */
  readonly channels: number | undefined;
  /** AVCDecoderConfigurationRecord; video only. */
  readonly avcConfig: Uint8Array | undefined;
  /** trex: what a part that does not say otherwise takes. */
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly durationTicks: number;
  readonly size: number;
  readonly flags: number;
}

/** Parses ftyp + moov with one avc1 or mp4a track. Never throws. */
export function readInitSection(bytes: Uint8Array): Result<InitSection, CmafError> {
  try {
    return parse(bytes);
  } catch (error) {
    // A DataView read past the end: the boxes are shorter than their type demands.
    if (error instanceof RangeError) return malformed('the boxes of the init section end early');
    throw error;
  }
}

function parse(bytes: Uint8Array): Result<InitSection, CmafError> {
  if (!findBox(bytes, ['ftyp'])) return malformed('expected ftyp and moov');
  const tracks = readBoxes(findBox(bytes, ['moov']) ?? new Uint8Array(0))?.filter((child) => child.type === 'trak');
  const trak = tracks?.[0]?.body;
  if (trak === undefined || tracks?.length !== 1) return malformed(`expected one track, got ${tracks?.length ?? 0}`);
  const tkhd = findBox(trak, ['tkhd']);
  const mdhd = findBox(trak, ['mdia', 'mdhd']);
  const stsd = findBox(trak, ['mdia', 'minf', 'stbl', 'stsd']);
  const trex = findBox(bytes, ['moov', 'mvex', 'trex']);
  if (!tkhd || !mdhd || !stsd || !trex) return malformed('expected tkhd, mdhd, stsd and trex');
  const trackId = viewOf(tkhd).getUint32(tkhd[0] === 1 ? 20 : 12);
  const timescale = viewOf(mdhd).getUint32(mdhd[0] === 1 ? 20 : 12);
  if (timescale === 0) return malformed('expected a timescale above 0');
  const view = viewOf(trex);
  const defaults = { durationTicks: view.getUint32(12), size: view.getUint32(16), flags: view.getUint32(20) };
  const entry = readBoxes(stsd.subarray(8))?.[0];
  if (entry?.type === 'avc1') {
    const avcC = findBox(entry.body.subarray(78), ['avcC']);
    if (!avcC || avcC.length < 4) return malformed('expected avcC in avc1');
    const hex = Array.from(avcC.subarray(1, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const size = viewOf(entry.body);
    const picture = { width: size.getUint16(24), height: size.getUint16(26), channels: undefined, avcConfig: avcC };
    return ok({ kind: 'video', trackId, timescale, codecs: `avc1.${hex}`, ...picture, defaults });
  }
  if (entry?.type === 'mp4a') {
    const esds = findBox(entry.body.subarray(28), ['esds']);
    const objectType = esds && audioObjectType(esds.subarray(4));
    if (objectType === undefined) return malformed('expected esds with an AudioSpecificConfig in mp4a');
    const channels = viewOf(entry.body).getUint16(16);
    const codecs = `mp4a.40.${objectType}`;
    const none = { width: undefined, height: undefined, avcConfig: undefined };
    return ok({ kind: 'audio', trackId, timescale, codecs, channels, defaults, ...none });
  }
  return malformed(`expected an avc1 or mp4a sample entry, got "${entry?.type ?? 'none'}"`);
}

/** The object type in the DecoderSpecificInfo below the ES and decoder descriptors; undefined when it is not there. */
function audioObjectType(bytes: Uint8Array): number | undefined {
  let at = 0;
  for (const [tag, fixedBytes] of [
    [3, 3],
    [4, 13],
    [5, 0],
  ] as const) {
    if (bytes[at] !== tag) return undefined;
    at++;
    let sizeBytes = 1;
    while (((bytes[at] ?? 0) & 0x80) !== 0 && sizeBytes < 4) {
      at++;
      sizeBytes++;
    }
    at += 1 + fixedBytes;
  }
  const [first, second] = [bytes[at], bytes[at + 1]];
  if (first === undefined || second === undefined) return undefined;
  return first >> 3 === 31 ? 32 + (((first & 7) << 3) | (second >> 5)) : first >> 3;
}

function malformed(message: string): Result<never, CmafError> {
  return err({ kind: 'malformed', message });
}
