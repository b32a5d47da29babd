/** Sequence parameter set (H.264 7.3.2.1.1): what a playlist and a sample entry say about the picture. */
import { err, ok, type Result } from '@millrace/result';
import { BitReader } from './bit-reader.ts';
import { type FlvError, flvError } from './flv-error.ts';

export interface PictureFormat {
  /** Shown size after cropping, pixels. */
  readonly width: number;
  readonly height: number;
  /** From the VUI timing; absent when the stream does not say or says nonsense. */
  readonly frameRate: number | undefined;
}

const chromaProfiles: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const largestSidePx = 16_384;

/** Parses a SPS NAL unit, header byte included. Never throws and never loops beyond the bytes it was given. */
export function parseSps(nal: Uint8Array): Result<PictureFormat, FlvError> {
  if (((nal[0] ?? 0) & 0x1f) !== 7) return err(flvError('malformed', 'expected a sequence parameter set (NAL type 7)'));
  const bits = new BitReader(withoutEmulationPrevention(nal.subarray(1, 4096)));
  const profile = bits.bits(8);
  bits.bits(16); // constraint flags, level
  bits.unsignedGolomb(); // seq_parameter_set_id
  let chromaFormat = 1;
  let separatePlanes = false;
  if (chromaProfiles.has(profile)) {
    chromaFormat = bits.unsignedGolomb();
    if (chromaFormat === 3) separatePlanes = bits.flag();
    bits.unsignedGolomb(); // bit_depth_luma
    bits.unsignedGolomb(); // bit_depth_chroma
    bits.flag(); // qpprime_y_zero_transform_bypass
    if (bits.flag()) skipScalingLists(bits, chromaFormat === 3 ? 12 : 8);
  }
  bits.unsignedGolomb(); // log2_max_frame_num
  const orderType = bits.unsignedGolomb();
  if (orderType === 0) bits.unsignedGolomb();
  else if (orderType === 1) {
    bits.flag();
    bits.signedGolomb();
    bits.signedGolomb();
    const cycle = bits.unsignedGolomb();
    if (cycle > 255) return err(flvError('malformed', `expected at most 255 frames in an order cycle, got ${cycle}`));
    for (let i = 0; i < cycle && !bits.overrun; i++) bits.signedGolomb();
  }
  bits.unsignedGolomb(); // max_num_ref_frames
  bits.flag(); // gaps_in_frame_num
  const widthMbs = bits.unsignedGolomb() + 1;
  const heightUnits = bits.unsignedGolomb() + 1;
  const framesOnly = bits.flag();
  if (!framesOnly) bits.flag(); // mb_adaptive_frame_field
  bits.flag(); // direct_8x8_inference
  const crop = { left: 0, right: 0, top: 0, bottom: 0 };
  if (bits.flag()) {
    crop.left = bits.unsignedGolomb();
    crop.right = bits.unsignedGolomb();
    crop.top = bits.unsignedGolomb();
    crop.bottom = bits.unsignedGolomb();
  }
  if (bits.overrun) return err(flvError('malformed', 'the sequence parameter set ends early'));
  const chroma = separatePlanes ? 0 : chromaFormat;
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = widthMbs * 16 - (crop.left + crop.right) * cropX;
  const height = heightUnits * 16 * (framesOnly ? 1 : 2) - (crop.top + crop.bottom) * cropY;
  if (!(width > 0 && height > 0 && width <= largestSidePx && height <= largestSidePx)) {
    return err(
      flvError('malformed', `expected a picture of 1 to ${largestSidePx} pixels a side, got ${width}x${height}`),
    );
  }
  return ok({ width, height, frameRate: bits.flag() ? readFrameRate(bits) : undefined });
}

/** VUI up to the timing (annex E.1.1); undefined unless it gives a rate in (0, 480]. */
function readFrameRate(bits: BitReader): number | undefined {
  if (bits.flag() && bits.bits(8) === 255) bits.bits(32); // aspect_ratio_idc, extended SAR
  if (bits.flag()) bits.flag(); // overscan
  if (bits.flag()) {
    bits.bits(4); // video_format, full_range
    if (bits.flag()) bits.bits(24); // colour description
  }
  if (bits.flag()) {
    bits.unsignedGolomb(); // chroma location
    bits.unsignedGolomb();
  }
  if (!bits.flag()) return undefined;
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  const rate = timeScale / (2 * unitsInTick);
  return !bits.overrun && rate > 0 && rate <= 480 ? rate : undefined;
}

function skipScalingLists(bits: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.flag()) continue;
    const size = list < 6 ? 16 : 64;
    let next = 8;
    let last = 8;
    for (let i = 0; i < size && !bits.overrun; i++) {
      if (next !== 0) next = (last + bits.signedGolomb() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** The RBSP of a NAL unit: 0x000003 is 0x0000 (7.3.1). */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
