/** Runs ffmpeg over one track and puts what it writes into the store, segment by segment, as it comes: nothing rests on scratch. */
import { createHash } from 'node:crypto';
import type { StoredSegment, StoredTrack, TaskFailure } from '@millrace/api';
import { type FfmpegInput, type FfmpegLimits, runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import type { TaskContext } from '../core/task-executor.ts';
import { TrackStream } from '../core/track-stream.ts';
import { failureOfRun, failureOfStore } from './task-failures.ts';

/**
 * Muxer of one track into fragments: every fragment one segment, its decode times as given (`frag_discont`), decodable on its own,
 * without an edit list.
 */
export const fragmentedOutput = [
  ...['-f', 'mp4', '-movflags', '+cmaf+empty_moov+default_base_moof+frag_keyframe+frag_discont+skip_trailer'],
  'pipe:1',
] as const;

export interface TrackEncoding {
  readonly inputs: readonly FfmpegInput[];
  /** Everything behind the inputs; the track goes to `fragmentedOutput`. */
  readonly args: readonly string[];
  /** Folder of the asset, and the track's own in it: `video-720p`. */
  readonly asset: string;
  readonly folder: string;
  readonly onProgress: (outTimeMs: number, frames: number) => void;
  readonly limits: FfmpegLimits;
  /** What is done, for reasons: "encoding 720p". */
  readonly doing: string;
}

export interface EncodedTrack {
  readonly track: StoredTrack;
  /** Decode time of the first sample and behind the last one, ticks of the track. */
  readonly firstTicks: number;
  readonly endTicks: number;
  readonly samples: number;
}

/** Encodes and stores a track. `ok` with undefined: ffmpeg was content, but there was nothing to encode. */
export async function encodeTrack(
  encoding: TrackEncoding,
  context: Pick<TaskContext, 'store' | 'signal' | 'log'>,
): Promise<Result<EncodedTrack | undefined, TaskFailure>> {
  const stored: { value: Result<EncodedTrack | undefined, TaskFailure> | undefined } = { value: undefined };
  const onOutput = async (bytes: AsyncIterable<Uint8Array>) => {
    stored.value = await storeTrack(bytes, encoding, context);
    if (!stored.value.ok) throw new Error(stored.value.error.reason);
  };
  const { inputs, args, onProgress, limits, doing } = encoding;
  try {
    const run = await runFfmpeg({
      inputs,
      args,
      onProgress,
      limits,
      onOutput,
      signal: context.signal,
      log: context.log,
    });
    if (!run.ok) return err(failureOfRun(run.error, doing));
  } catch (error) {
    context.signal.throwIfAborted();
    if (stored.value?.ok === false) return stored.value;
    throw error;
  }
  if (stored.value === undefined) throw new Error(`${doing}: ffmpeg ended, but its output was not read`);
  return stored.value;
}

async function storeTrack(
  bytes: AsyncIterable<Uint8Array>,
  { asset, folder, doing }: TrackEncoding,
  { store, signal }: Pick<TaskContext, 'store' | 'signal'>,
): Promise<Result<EncodedTrack | undefined, TaskFailure>> {
  const stream = new TrackStream();
  const segments: StoredSegment[] = [];
  let head: Pick<StoredTrack, 'codec' | 'init' | 'timescale'> | undefined;
  let firstTicks: number | undefined;
  let endTicks = 0;
  let samples = 0;
  const put = async (path: string, slices: readonly Uint8Array[]) => {
    const kept = await store.put(`${asset}/${path}`, slices);
    return kept.ok ? ok(kept.value.size) : err(failureOfStore(kept.error, `${doing}: storing ${path}`));
  };
  for await (const piece of bytes) {
    signal.throwIfAborted();
    const pieces = stream.feed(piece);
    if (!pieces.ok) return err(brokenOutput(doing, pieces.error.message));
    for (const one of pieces.value) {
      if (one.kind === 'init') {
        const { codecs: codec, timescale } = one.section;
        head = { codec, timescale, init: `${folder}/init-${hashOf(one.bytes)}.mp4` };
        const kept = await put(head.init, [one.bytes]);
        if (!kept.ok) return kept;
        continue;
      }
      if (head === undefined) return err(brokenOutput(doing, 'a part came before its init section'));
      const { dts, duration, sampleCount } = one.part;
      const path = `${folder}/s${dts}.m4s`;
      const kept = await put(path, one.part.bytes);
      if (!kept.ok) return kept;
      segments.push({ path, duration_ms: (duration * 1_000) / head.timescale, bytes: kept.value });
      firstTicks ??= dts;
      endTicks = dts + duration;
      samples += sampleCount;
    }
  }
  if (head === undefined || firstTicks === undefined) return ok(undefined);
  if (!stream.atEnd) return err(brokenOutput(doing, 'it ends in the middle of a segment'));
  return ok({ track: { ...head, segments }, firstTicks, endTicks, samples });
}

/** Equal init sections have one name, so spans that were encoded alike share it, and others do not overwrite it. */
function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}

function brokenOutput(doing: string, message: string): TaskFailure {
  return {
    code: 'encoder-failed',
    reason: `${doing}: the encoder wrote something unexpected: ${message}`,
    retryable: true,
  };
}
