import type { JoinTarget } from '@millrace/api';
import { type CmafPart, movePart, writeInitSection } from '@millrace/cmaf';
import { err, ok, type Result } from '@millrace/result';
import { type AvcConfig, mergeAvcConfigs, readAvcConfig, writeAvcConfig } from '../core/avc-config.ts';
import { joinTimescale } from '../core/join-encoder.ts';
import { TrackStream } from '../core/track-stream.ts';
import { fragmentedOutput } from './encode-track.ts';
import type { TrackFile } from './track-file.ts';

/**
 * Muxer of a track that is appended; its output follows. Decode times may be below 0 at the beginning, which fragments cannot say; where they
 * begin is not asked.
 */
export const fragmented = ['-output_ts_offset', '10', ...fragmentedOutput.slice(0, -1)];

/** What was appended. */
export interface AppendedPictures {
  readonly config: AvcConfig;
  readonly samples: number;
}

/**
 * Appends what one run of ffmpeg wrote of a track of pictures, from `baseTicks` on. `onPart`: ticks that are written of it. All of `bytes` is
 * read, whatever is wrong with it; the error says what is.
 */
export async function appendPictures(
  file: TrackFile,
  bytes: AsyncIterable<Uint8Array>,
  baseTicks: number,
  onPart: (ticks: number) => void,
): Promise<Result<AppendedPictures, string>> {
  const stream = new TrackStream();
  let config: AvcConfig | undefined;
  let firstTicks: number | undefined;
  let samples = 0;
  let fault: string | undefined;
  const append = async (part: CmafPart) => {
    firstTicks ??= part.dts;
    samples += part.sampleCount;
    await file.append(movePart(part, baseTicks + part.dts - firstTicks));
    onPart(part.dts - firstTicks + part.duration);
  };
  for await (const some of bytes) {
    if (fault !== undefined) continue;
    const pieces = stream.feed(some);
    if (!pieces.ok) fault = pieces.error.message;
    for (const one of pieces.ok ? pieces.value : []) {
      if (one.kind === 'part') await append(one.part);
      else config = one.section.avcConfig && readAvcConfig(one.section.avcConfig);
    }
  }
  if (fault === undefined && config !== undefined && samples > 0) return ok({ config, samples });
  return err(fault ?? 'no picture came');
}

/** Closes a track of pictures that were appended; the error says why they cannot be in one. `configs`: of all that were. */
export async function finishPictures(
  file: TrackFile,
  configs: readonly AvcConfig[],
  target: JoinTarget,
): Promise<Result<void, string>> {
  const merged = mergeAvcConfigs(configs);
  if (!merged.ok) return merged;
  const { width, height } = target;
  const [timescale, avcConfig] = [joinTimescale(target), writeAvcConfig(merged.value)];
  await file.finish(writeInitSection({ kind: 'video', trackId: 1, timescale, width, height, avcConfig }));
  return ok();
}
