/**
 * One rung from one keyframe of the source to another. Frames are counted on a grid that all spans share, so the first frame of a
 * span follows the last one of the span before, whoever encoded it; every segment begins with an IDR picture.
 */
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type ProbedFile, type ProbedVideo } from '@millrace/ffmpeg';
import {
  type FrameRate,
  firstFrameOf,
  frameRateOf,
  framesPerSecond,
  frameTicks,
  segmentStarts,
  timescaleOf,
} from '@millrace/ladder';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { originMs } from '../core/media-facts.ts';
import { cutFilter, pictureFilter } from '../core/picture-filter.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { type EncodedTrack, encodeTrack, fragmentedOutput } from './encode-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { ProbedFiles } from './probed-files.ts';
import { failureOfRun, failureOfStore } from './task-failures.ts';

/** Containers with an index, where a seek lands on the keyframe that was asked for. */
const indexed: ReadonlySet<string> = new Set(['mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm']);
/**
 * How far in front of the span reading begins, ms. Without an index a seek may land behind the keyframe and lose the first frames;
 * that shows in the first decode time, and the next attempt begins earlier, at last with the file.
 */
const runUpsMs = { indexed: [0, 5_000], other: [3_000, 30_000] } as const;

interface Cut {
  readonly rate: FrameRate;
  readonly first: number;
  readonly end: number | null;
  /** Length for progress and for placing segments; of the last span an estimate. */
  readonly frames: number;
}

/** Executor of kind `span`. */
export function createSpanTask(settings: EncoderSettings, files = new ProbedFiles()): TaskExecutor<'span'> {
  return async (spec, context) => {
    const { store, scratch, signal, log } = context;
    const doing = `encoding ${spec.rung.name}`;
    const path = await fetchToScratch(store, spec.source, scratch, signal);
    if (!path.ok) return err(failureOfStore(path.error, 'reading the original'));
    const probed = await files.probe(path.value, { signal, log });
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading the file'));
    const { video } = probed.value;
    if (video === undefined)
      return err({ code: 'bad-media', reason: `${doing}: no video in the file`, retryable: false });

    const cut = cutOf(spec, probed.value, context);
    for (const seekMs of seeks(spec.start_ms, probed.value.format)) {
      const encoded = await encodeCut(path.value, probed.value, video, cut, seekMs, spec, settings, context);
      if (!encoded.ok) return encoded;
      const fault = faultOf(encoded.value, cut);
      if (fault === undefined && encoded.value !== undefined) {
        return ok({ kind: 'span', rung: spec.rung, span: spec.span, track: encoded.value.track });
      }
      log.info('span-began-late', { rung: spec.rung.name, span: spec.span, seekMs, fault });
    }
    const reason = `${doing}: the frames from ${Math.round(spec.start_ms)} ms on cannot be decoded`;
    return err({ code: 'bad-media', reason, retryable: false });
  };
}

function cutOf(spec: SpecOf<'span'>, file: ProbedFile, { inputs }: TaskContext): Cut {
  const rate = frameRateOf(spec.rung.frames_per_second);
  const first = firstFrameOf(spec.start_ms, rate);
  const end = spec.end_ms === null ? null : firstFrameOf(spec.end_ms, rate);
  const surveyed = inputs.find((input) => input.kind === 'probe')?.media.duration_ms;
  const lengthMs = (surveyed ?? file.durationMs ?? spec.start_ms + 1) - spec.start_ms;
  const frames = end === null ? Math.round((lengthMs / 1_000) * framesPerSecond(rate)) : end - first;
  return { rate, first, end, frames: Math.max(1, frames) };
}

/** Where to begin reading, ms from the start; tried in this order. Undefined: at the beginning of the file. */
function seeks(startMs: number, format: string): readonly (number | undefined)[] {
  const runUps = indexed.has(format) ? runUpsMs.indexed : runUpsMs.other;
  const places = runUps.map((runUpMs) => startMs - runUpMs).filter((seekMs) => seekMs > 0);
  return [...places, undefined];
}

function encodeCut(
  path: string,
  file: ProbedFile,
  video: ProbedVideo,
  cut: Cut,
  seekMs: number | undefined,
  spec: SpecOf<'span'>,
  settings: EncoderSettings,
  context: TaskContext,
): Promise<Result<EncodedTrack | undefined, TaskFailure>> {
  const { rung, asset } = spec;
  const { threads, niceness } = settings;
  // `-ss` counts from the file's start; a millisecond more finds the keyframe also where its time was rounded.
  const fromStartMs = originMs(file) - file.startMs;
  const seek = seekMs === undefined ? [] : ['-ss', ((seekMs + fromStartMs + 1) / 1_000).toFixed(6), '-noaccurate_seek'];
  const filter = [
    cutFilter(video, { originMs: originMs(file), rate: cut.rate, first: cut.first, end: cut.end }),
    pictureFilter(video, rung.width, rung.height),
  ].join(',');
  return encodeTrack(
    {
      inputs: [{ kind: 'file', path, options: [...seek, '-copyts', '-an', '-sn', '-dn'] }],
      args: [
        ...['-map', `0:${video.index}`, '-map_metadata', '-1', '-vf', filter, '-fps_mode', 'passthrough'],
        ...encoderArgs(spec, cut, settings),
        ...['-video_track_timescale', String(timescaleOf(cut.rate)), ...fragmentedOutput],
      ],
      asset,
      folder: `video-${rung.name}`,
      onProgress: (_, frames) => context.report(Math.min(1, frames / cut.frames)),
      limits: { threads, niceness },
      doing: `encoding ${rung.name}`,
    },
    context,
  );
}

/** x264 at constant quality as long as that keeps the average, and every segment the peak, of the rung. */
function encoderArgs(
  { rung, segment_ms }: SpecOf<'span'>,
  cut: Cut,
  { preset, crf, threads }: EncoderSettings,
): readonly string[] {
  const starts = segmentStarts(cut.frames, segment_ms, cut.rate);
  const bufferBits = Math.max(
    rung.bits_per_second,
    (rung.max_bits_per_second - rung.bits_per_second) * (segment_ms / 1_000),
  );
  // Half a frame early, so that rounding never makes it the next one.
  const fps = framesPerSecond(cut.rate);
  const times = starts.map((start) => Math.max(0, (cut.first + start - 0.5) / fps).toFixed(6));
  // What a source has beyond the length that it was taken for still comes in segments.
  const longest = Math.ceil((segment_ms / 1_000) * fps * 1.5) + 2;
  return [
    ...['-c:v', 'libx264', '-preset', preset, '-profile:v', 'high', '-threads', String(threads)],
    ...['-crf', String(crf), '-maxrate', String(rung.bits_per_second), '-bufsize', String(Math.round(bufferBits))],
    ...['-g', String(longest), '-keyint_min', String(longest), '-sc_threshold', '0', '-forced-idr', '1'],
    ...['-force_key_frames', times.join(',')],
  ];
}

/** What is wrong with the frames of an encoded cut; undefined: they are all there, and no other. */
function faultOf(encoded: EncodedTrack | undefined, { rate, first, end }: Cut): string | undefined {
  if (encoded === undefined) return 'no frame came';
  const ticks = frameTicks(rate);
  if (encoded.firstTicks !== first * ticks) return `expected frame ${first} first, got ${encoded.firstTicks / ticks}`;
  if (end !== null && encoded.endTicks !== end * ticks)
    return `expected to end at frame ${end}, got ${encoded.endTicks / ticks}`;
  if (encoded.samples * ticks !== encoded.endTicks - encoded.firstTicks) return 'frames are missing in the middle';
  return undefined;
}
