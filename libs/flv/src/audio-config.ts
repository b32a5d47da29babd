/** AudioSpecificConfig (ISO 14496-3 1.6.2.1), with both ways of signalling SBR and PS. */
import { err, ok, type Result } from '@millrace/result';
import { BitReader } from './bit-reader.ts';
import { type FlvError, flvError } from './flv-error.ts';

export interface AudioFormat {
  /** The audio object type signalled first: 2 is AAC-LC, 5 SBR (HE-AAC), 29 PS (HE-AAC v2). */
  readonly objectType: number;
  /** RFC 6381: `mp4a.40.` and the object type. */
  readonly codecs: string;
  /** Of the core codec, Hz: a frame is `samplesPerFrame` of these. */
  readonly sampleRate: number;
  /** What a decoder that knows SBR puts out, Hz. */
  readonly outputSampleRate: number;
  readonly channels: number;
  /** 1024, or 960 with the frame length flag. */
  readonly samplesPerFrame: number;
}

const rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const channelsOf = [0, 1, 2, 3, 4, 5, 6, 8];
const coreObjectTypes: ReadonlySet<number> = new Set([1, 2, 3, 4]);

/** Parses the record of an AAC sequence header. Object types other than AAC Main, LC, SSR, LTP, SBR and PS are refused. */
export function parseAudioConfig(record: Uint8Array): Result<AudioFormat, FlvError> {
  const bits = new BitReader(record.subarray(0, 512));
  const objectType = readObjectType(bits);
  const sampleRate = readRate(bits);
  const channelConfig = bits.bits(4);
  let outputSampleRate = sampleRate;
  let core = objectType;
  if (objectType === 5 || objectType === 29) {
    outputSampleRate = readRate(bits);
    core = readObjectType(bits);
  }
  if (bits.overrun) return err(flvError('malformed', `expected an AAC configuration, got ${record.length} bytes`));
  if (!coreObjectTypes.has(core)) return err(flvError('unsupported-codec', `audio MPEG-4 object type ${core}`));
  if (!(sampleRate >= 7_350 && sampleRate <= 96_000)) {
    return err(flvError('malformed', `expected a sample rate of 7350 to 96000 Hz, got ${sampleRate}`));
  }
  const shortFrames = bits.flag();
  if (bits.flag()) bits.bits(14); // core coder delay
  bits.flag(); // extension flag: empty for these object types
  const channels = channelConfig === 0 ? readProgramChannels(bits) : channelsOf[channelConfig];
  if (channels === undefined || channels === 0 || bits.overrun) {
    return err(flvError('malformed', `expected 1 to 8 channels, got channel configuration ${channelConfig}`));
  }
  // Backward-compatible signalling: a sync word behind the configuration that old decoders do not read (1.6.5.3).
  if (core === objectType && bits.left >= 16 && bits.bits(11) === 0x2b7 && readObjectType(bits) === 5 && bits.flag()) {
    const extended = readRate(bits);
    if (!bits.overrun && extended > 0) outputSampleRate = extended;
  }
  return ok({
    objectType,
    codecs: `mp4a.40.${objectType}`,
    sampleRate,
    outputSampleRate,
    channels,
    samplesPerFrame: shortFrames ? 960 : 1024,
  });
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

function readRate(bits: BitReader): number {
  const index = bits.bits(4);
  return index === 15 ? bits.bits(24) : (rates[index] ?? 0);
}

/** Channels of a program_config_element (4.5.2.1): one for each single and LFE element, two for each pair. */
function readProgramChannels(bits: BitReader): number {
  bits.bits(10); // instance tag, object type, sampling frequency
  const elements = bits.bits(4) + bits.bits(4) + bits.bits(4);
  const lfe = bits.bits(2);
  bits.bits(7); // associated data and coupling elements: not channels
  if (bits.flag()) bits.bits(4);
  if (bits.flag()) bits.bits(4);
  if (bits.flag()) bits.bits(3);
  let channels = lfe;
  for (let i = 0; i < elements; i++) {
    channels += bits.flag() ? 2 : 1;
    bits.bits(4);
  }
  return channels > 8 ? 0 : channels;
}
