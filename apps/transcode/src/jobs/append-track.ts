import { type CmafPart, movePart } from '@millrace/cmaf';
import { err, ok, type Result } from '@millrace/result';
import { type AvcConfig, readAvcConfig } from '../core/avc-config.ts';
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
