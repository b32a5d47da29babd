/**
 * Brings one input of a composition to the format of the others: pictures to the frame, sound of exactly their length. Pictures, which take
 * long, are encoded in spans that are kept.
 */
import { basename, join } from 'node:path';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type FfmpegInput, probeFile, runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import type { AvcConfig } from '../core/avc-config.ts';
import {
  framesIn,
  joinEncoderArgs,
  joinPictureFilter,
  joinTimescale,
  pictureAt,
  spanFrames,
} from '../core/join-encoder.ts';
import { rangeOf } from '../core/join-plan.ts';
import { joinSoundArgs, layoutOf } from '../core/join-sound.ts';
import { mediaFactsOf, PacketSurvey } from '../core/media-facts.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { appendPictures, finishPictures, fragmented } from './append-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinFiles } from './join-files.ts';
import { fingerprintOf, isIndexed, type JoinSource, readParameterSets, seekTo } from './join-source.ts';
import { KeptParts } from './kept-parts.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';
import { TrackFile } from './track-file.ts';

/** Executor of kind `normalise`. */
export function createNormaliseTask(settings: EncoderSettings, files: JoinFiles): TaskExecutor<'normalise'> {
  return async (spec, context) => {
    const { signal, log, store, scratch } = context;
    const source = await files.open(spec.source, context);
    if (!source.ok) return source;
    const path = join(scratch, 'normalised.mp4');
    const encoded = await encode(source.value, spec, path, settings, context);
    if (!encoded.ok) return encoded;
    const probed = await probeFile(path, { signal, log });
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading what was encoded'));
    const { video } = probed.value;
    if (video === undefined) return err(refusal('bad-media', 'expected pictures in the video, none could be decoded'));
    const config = await readParameterSets({ path, video }, settings, context);
    if (!config.ok) return config;
    const kept = await store.putFile(spec.output, path);
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing what was encoded'));
    const facts = mediaFactsOf(probed.value, new PacketSurvey(probed.value));
    const media = { ...facts, duration_ms: Math.round(encoded.value) };
    return ok({ kind: 'normalise', media, fingerprint: fingerprintOf({ media }, config.value) });
  };
}

/** Encodes to `path`; gives the length, ms. */
async function encode(
  source: JoinSource,
  spec: SpecOf<'normalise'>,
  path: string,
  settings: EncoderSettings,
  context: TaskContext,
): Promise<Result<number, TaskFailure>> {
  const { target } = spec;
  const range = rangeOf(source.table, spec.trim);
  if (range.to <= range.from) return err(refusal('bad-trim', 'expected pictures in the part that is taken, got none'));
  const fromMs = source.table.timeAt(range.from);
  const frames = framesIn(source.table.timeAt(range.to) - fromMs, target);
  const lengthMs = (frames * 1_000) / target.frames_per_second;
  const pictures = join(context.scratch, 'pictures.mp4');
  const shown = await encodePictures(pictures, { source, spec, range, frames, lengthMs }, settings, context);
  if (!shown.ok) return shown;
  const { threads, niceness } = settings;
  const { audio } = source.file;
  const sound: FfmpegInput =
    audio === undefined
      ? { kind: 'graph', graph: `anullsrc=r=${target.sample_rate}:cl=${layoutOf(target)}` }
      : { kind: 'file', path: source.path, options: [...seekArgs(source, fromMs), '-vn', '-sn', '-dn'] };
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path: pictures }, sound],
    args: [
      ...['-map', '0:v', '-map', audio === undefined ? '1:0' : `1:${audio.index}`, '-map_metadata', '-1'],
      ...['-c:v', 'copy', '-video_track_timescale', String(joinTimescale(target))],
      ...['-af', soundFilter(source, spec, fromMs, lengthMs), ...joinSoundArgs(target), '-f', 'mp4', path],
    ],
    onProgress: (outTimeMs) => context.report(pictureShare + (1 - pictureShare) * Math.min(1, outTimeMs / lengthMs)),
    ...{ signal: context.signal, log: context.log, limits: { threads, niceness } },
  });
  return run.ok ? ok(lengthMs) : err(failureOfRun(run.error, 'encoding the sound of a video'));
}

/** How much of the task it is to encode the pictures. */
const pictureShare = 0.95;

interface PictureRange {
  readonly source: JoinSource;
  readonly spec: SpecOf<'normalise'>;
  /** Pictures of the source. */
  readonly range: ReturnType<typeof rangeOf>;
  /** Of the output. */
  readonly frames: number;
  readonly lengthMs: number;
}

/** Encodes the pictures into one track, span by span: each is kept as soon as it is made. */
async function encodePictures(
  path: string,
  { source, spec, range, frames, lengthMs }: PictureRange,
  { preset, threads, niceness }: EncoderSettings,
  context: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const { table, video } = source;
  const { target, keep } = spec;
  const kept = await KeptParts.open(keep?.work, context);
  await using file = await TrackFile.create(path);
  const configs: AvcConfig[] = [];
  const each = keep !== undefined && isIndexed(source) ? spanFrames(keep.span_ms, target) : frames;
  const frameMs = lengthMs / frames;
  for (let first = 0; first < frames; first += each) {
    const count = Math.min(each, frames - first);
    const index = pictureAt(table, range, first, target);
    const shownMs = table.timeAt(index) - table.timeAt(range.from) - first * frameMs;
    const name = `${basename(spec.output, '.mp4')}-${first}-${count}.mp4`;
    const made = await kept.make(name, async (part) => {
      const seek = seekArgs(source, table.timeAt(index));
      const filter = joinPictureFilter(video, target, first === 0 ? 0 : shownMs);
      const run = await runFfmpeg({
        inputs: [{ kind: 'file', path: source.path, options: [...seek, '-an', '-sn', '-dn'] }],
        args: [
          ...['-map', `0:${video.index}`, '-map_metadata', '-1', '-frames:v', String(count)],
          ...['-vf', `${cutArgs(source, table.timeAt(range.from))}${filter}`],
          ...[...joinEncoderArgs(target, { preset, threads, setsId: target.sets_id }), ...fragmented, part],
        ],
        onProgress: (outTimeMs) =>
          context.report((pictureShare * Math.min(first + count, first + outTimeMs / frameMs)) / frames),
        ...{ signal: context.signal, log: context.log, limits: { threads, niceness } },
      });
      return run.ok ? ok() : err(failureOfRun(run.error, 'encoding a video'));
    });
    if (!made.ok) return made;
    const bytes = await kept.read(name);
    if (!bytes.ok) return bytes;
    const baseTicks = Math.round((first * frameMs * joinTimescale(target)) / 1_000);
    const appended = await appendPictures(file, bytes.value, baseTicks, () => {});
    if (!appended.ok) {
      return err({ code: 'encoder-failed', reason: `encoding a video: ${appended.error}`, retryable: true });
    }
    configs.push(appended.value.config);
    context.signal.throwIfAborted();
    context.report((pictureShare * (first + count)) / frames);
  }
  const finished = await finishPictures(file, configs, target);
  if (finished.ok) return finished;
  return err({ code: 'encoder-failed', reason: `encoding a video: ${finished.error}`, retryable: false });
}

/** Where a seek finds its place, reading begins there. */
function seekArgs(source: JoinSource, fromMs: number): readonly string[] {
  return isIndexed(source) ? seekTo(fromMs) : [];
}

/** Elsewhere everything is decoded and what comes before is thrown away. */
function cutArgs(source: JoinSource, fromMs: number): string {
  if (fromMs <= 0 || isIndexed(source)) return '';
  return `trim=start=${((fromMs - source.table.frameMs / 2) / 1_000).toFixed(6)},`;
}

function soundFilter(source: JoinSource, spec: SpecOf<'normalise'>, fromMs: number, lengthMs: number): string {
  const { sample_rate: rate } = spec.target;
  const cut = fromMs > 0 && !isIndexed(source) ? [`atrim=start=${(fromMs / 1_000).toFixed(6)}`] : [];
  return [
    ...(source.file.audio === undefined ? [] : [...cut, ...(cut.length > 0 ? ['asetpts=PTS-STARTPTS'] : [])]),
    `aresample=${rate}:async=1:min_hard_comp=0.1:first_pts=0`,
    `aformat=channel_layouts=${layoutOf(spec.target)}`,
    ...(spec.gain_db === 0 ? [] : [`volume=${spec.gain_db}dB`]),
    `apad,atrim=end_sample=${Math.round((lengthMs * rate) / 1_000)}`,
  ].join(',');
}
