/** AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1). */
import { err, ok, type Result } from '@millrace/result';
import { type FlvError, flvError } from './flv-error.ts';
import { type PictureFormat, parseSps } from './sps.ts';

export interface AvcConfig extends PictureFormat {
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  /** RFC 6381: `avc1.PPCCLL`. */
  readonly codecs: string;
  /** Bytes of a NAL unit's length prefix: 1, 2 or 4. */
  readonly nalLengthBytes: number;
}

/** Parses the record of an AVC sequence header: profile, level, codec string, and the picture format of its first SPS. */
export function parseAvcConfig(record: Uint8Array): Result<AvcConfig, FlvError> {
  const [version, profile, compatibility, level, lengthSize, spsCount, high, low] = record;
  if (version !== 1) {
    return err(flvError('malformed', `expected AVC configuration version 1, got ${version ?? 'no bytes'}`));
  }
  if (
    profile === undefined ||
    compatibility === undefined ||
    level === undefined ||
    lengthSize === undefined ||
    spsCount === undefined
  ) {
    return err(flvError('malformed', `expected an AVC configuration, got ${record.length} bytes`));
  }
  if ((lengthSize & 3) === 2) return err(flvError('malformed', 'expected NAL lengths of 1, 2 or 4 bytes, got 3'));
  if ((spsCount & 0x1f) === 0 || high === undefined || low === undefined) {
    return err(flvError('malformed', 'expected at least one sequence parameter set, got none'));
  }
  const spsBytes = high * 256 + low;
  if (record.length < 8 + spsBytes) {
    return err(flvError('malformed', `expected ${spsBytes} bytes of parameter set, got ${record.length - 8}`));
  }
  const picture = parseSps(record.subarray(8, 8 + spsBytes));
  if (!picture.ok) return picture;
  const hex = [profile, compatibility, level].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return ok({
    ...picture.value,
    profile,
    compatibility,
    level,
    codecs: `avc1.${hex}`,
    nalLengthBytes: (lengthSize & 3) + 1,
  });
}
