import { err, ok, type Result } from '@millrace/result';
import { findBox, readBoxes, viewOf } from './box.ts';
import type { SampleDefaults } from './init-reader.ts';
import { isSync } from './part-writer.ts';
import type { CmafError } from './track-format.ts';

/** What a moof says about its part. */
export interface PartFacts {
  readonly sequence: number;
  readonly trackId: number;
  /** Decode time of the first sample, ticks. */
  readonly dts: number;
  /** Sum of the sample durations, ticks. */
  readonly duration: number;
  readonly sampleCount: number;
  /** The first sample is a sync sample. */
  readonly independent: boolean;
  /** Sum of the sample sizes, bytes: what the mdat must hold. */
  readonly mediaBytes: number;
}

const maxSamples = 10_000;

/** Parses a moof box (header included) with one traf, one tfdt and one trun. Never throws. */
export function readMoof(moof: Uint8Array, defaults: SampleDefaults): Result<PartFacts, CmafError> {
  try {
    return parse(moof, defaults);
  } catch (error) {
    if (error instanceof RangeError) return malformed('the boxes of the moof end early');
    throw error;
  }
}

function parse(moof: Uint8Array, defaults: SampleDefaults): Result<PartFacts, CmafError> {
  const mfhd = findBox(moof, ['moof', 'mfhd']);
  const trafs = readBoxes(findBox(moof, ['moof']) ?? new Uint8Array(0))?.filter((child) => child.type === 'traf');
  const traf = trafs?.[0]?.body;
  if (!mfhd || !traf || trafs?.length !== 1) return malformed(`expected mfhd and one traf, got ${trafs?.length ?? 0}`);
  const tfhd = findBox(traf, ['tfhd']);
  const tfdt = findBox(traf, ['tfdt']);
  const truns = readBoxes(traf)?.filter((child) => child.type === 'trun');
  const trun = truns?.[0]?.body;
  if (!tfhd || !tfdt || !trun || truns?.length !== 1) return malformed('expected tfhd, tfdt and one trun');

  const head = viewOf(tfhd);
  const headFlags = head.getUint32(0) & 0xff_ffff;
  if ((headFlags & 0x1) !== 0 || (headFlags & 0x2_0000) === 0) return malformed('expected default-base-is-moof');
  let at = 8 + ((headFlags & 0x2) !== 0 ? 4 : 0);
  const next = () => {
    at += 4;
    return head.getUint32(at - 4);
  };
  const defaultDuration = (headFlags & 0x8) !== 0 ? next() : defaults.durationTicks;
  const defaultSize = (headFlags & 0x10) !== 0 ? next() : defaults.size;
  const defaultFlags = (headFlags & 0x20) !== 0 ? next() : defaults.flags;

  const time = viewOf(tfdt);
  const dts = tfdt[0] === 1 ? time.getUint32(4) * 2 ** 32 + time.getUint32(8) : time.getUint32(4);
  if (!Number.isSafeInteger(dts)) return malformed('expected a decode time below 2^53');

  const run = viewOf(trun);
  const runFlags = run.getUint32(0) & 0xff_ffff;
  const sampleCount = run.getUint32(4);
  if (sampleCount === 0 || sampleCount > maxSamples) {
    return malformed(`expected 1 to ${maxSamples} samples, got ${sampleCount}`);
  }
  let place = 8;
  if ((runFlags & 0x1) === 0 || run.getInt32(place) !== moof.length + 8) {
    return malformed('expected the samples to start behind the header of the next mdat');
  }
  place += 4;
  let firstFlags = defaultFlags;
  if ((runFlags & 0x4) !== 0) {
    firstFlags = run.getUint32(place);
    place += 4;
  }
  const has = { duration: (runFlags & 0x100) !== 0, size: (runFlags & 0x200) !== 0, flags: (runFlags & 0x400) !== 0 };
  const stride = (has.duration ? 4 : 0) + (has.size ? 4 : 0) + (has.flags ? 4 : 0) + ((runFlags & 0x800) !== 0 ? 4 : 0);
  const sizeAt = has.duration ? 4 : 0;
  if (has.flags) firstFlags = run.getUint32(place + sizeAt + (has.size ? 4 : 0));
  let duration = 0;
  let mediaBytes = 0;
  for (let i = 0; i < sampleCount; i++) {
    duration += has.duration ? run.getUint32(place) : defaultDuration;
    mediaBytes += has.size ? run.getUint32(place + sizeAt) : defaultSize;
    place += stride;
  }
  if (place > trun.length) return malformed(`expected ${sampleCount} samples in the trun`);
  return ok({
    sequence: viewOf(mfhd).getUint32(4),
    trackId: head.getUint32(4),
    dts,
    duration,
    sampleCount,
    independent: isSync(firstFlags),
    mediaBytes,
  });
}

function malformed(message: string): Result<never, CmafError> {
  return err({ kind: 'malformed', message });
}
