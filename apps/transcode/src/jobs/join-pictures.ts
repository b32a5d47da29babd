/** Writes the pictures of a join into one track on scratch: piece by piece, each at its place in time. */
import type { JoinTarget, TaskFailure } from '@millrace/api';
import { type FfmpegInput, runFfmpeg } from '@millrace/ffmpeg';
import { err, ok, type Result } from '@millrace/result';
import type { AvcConfig } from '../core/avc-config.ts';
import { framesIn, joinEncoderArgs, joinPictureFilter, joinTimescale, rateText } from '../core/join-encoder.ts';
import type { JoinPlan, Piece } from '../core/join-plan.ts';
import type { TaskContext } from '../core/task-executor.ts';
import { type AppendedPictures, appendPictures, finishPictures, fragmented } from './append-track.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { type JoinSource, seekTo } from './join-source.ts';
import type { KeptParts } from './kept-parts.ts';
import { failureOfRun } from './task-failures.ts';
import { TrackFile } from './track-file.ts';

export interface PictureJob {
  readonly sources: readonly JoinSource[];
  readonly plan: JoinPlan;
  readonly transition: { readonly duration_ms: number };
  readonly target: JoinTarget;
  readonly settings: EncoderSettings;
  /** Where encoded pieces are, as soon as they are made. */
  readonly kept: KeptParts;
  /** 0..1 of the pictures. */
  readonly onProgress: (done: number) => void;
}

/** Writes all pieces to `path`. Gives how much was encoded, ms: more than planned where a copy did not come as it was to. */
export async function joinPictures(
  path: string,
  job: PictureJob,
  context: TaskContext,
): Promise<Result<number, TaskFailure>> {
  const { plan, target } = job;
  await using file = await TrackFile.create(path);
  const configs: AvcConfig[] = [];
  let encodedMs = 0;
  for (const [at, planned] of plan.pieces.entries()) {
    let piece = planned;
    const mark = file.mark;
    let written = await writePiece(file, at, piece, job, context);
    if (!written.ok) return written;
    if (piece.kind === 'copy' && written.value.samples !== piece.frames) {
      context.log.info('copy-incomplete', { expected: piece.frames, got: written.value.samples });
      const { input, fromMs, lengthMs, atMs } = piece;
      piece = { kind: 'encode', input, fromMs, lengthMs, atMs, fade: undefined };
      await file.backTo(mark);
      written = await writePiece(file, at, piece, job, context);
      if (!written.ok) return written;
    }
    if (piece.kind !== 'copy') encodedMs += piece.lengthMs;
    configs.push(written.value.config);
  }
  const finished = await finishPictures(file, configs, target);
  if (finished.ok) return ok(encodedMs);
  return err({ code: 'unlike', reason: `the videos do not fit together: ${finished.error}`, retryable: false });
}

async function writePiece(
  file: TrackFile,
  at: number,
  piece: Piece,
  job: PictureJob,
  context: TaskContext,
): Promise<Result<AppendedPictures, TaskFailure>> {
  const timescale = joinTimescale(job.target);
  const baseTicks = Math.round((piece.atMs * timescale) / 1_000);
  const onProgress = (doneMs: number) =>
    job.onProgress((piece.atMs + Math.min(doneMs, piece.lengthMs)) / job.plan.lengthMs);
  let appended: Result<AppendedPictures, string> = err('nothing came');
  const take = async (bytes: AsyncIterable<Uint8Array>) => {
    appended = await appendPictures(file, bytes, baseTicks, (ticks) => onProgress((ticks * 1_000) / timescale));
  };
  const copied = piece.kind === 'copy';
  const doing = copied ? 'copying pictures' : 'encoding pictures';
  const { threads, niceness } = job.settings;
  const runTo = async (target: string, onOutput?: typeof take): Promise<Result<void, TaskFailure>> => {
    const { inputs, args } = commandOf(piece, job);
    const run = await runFfmpeg({
      ...{ inputs, args: [...args, target], ...(onOutput === undefined ? {} : { onOutput }), onProgress },
      ...{ signal: context.signal, log: context.log, limits: { threads, niceness } },
    });
    return run.ok ? ok() : err(failureOfRun(run.error, doing));
  };
  if (copied) {
    const run = await runTo('pipe:1', take);
    if (!run.ok) return run;
  } else {
    const name = `pictures-${at}.mp4`;
    const made = await job.kept.make(name, (path) => runTo(path));
    if (!made.ok) return made;
    const bytes = await job.kept.read(name);
    if (!bytes.ok) return bytes;
    await take(bytes.value);
    context.signal.throwIfAborted();
  }
  onProgress(piece.lengthMs);
  const done: Result<AppendedPictures, string> = appended; // written by `take`
  if (done.ok) return done;
  return err({ code: 'encoder-failed', reason: `${doing}: ${done.error}`, retryable: true });
}

/** Inputs and arguments, without the output, of the run that makes a piece. */
function commandOf(piece: Piece, job: PictureJob): { inputs: FfmpegInput[]; args: string[] } {
  const { target, settings, transition } = job;
  const at = (index: number) => {
    const source = job.sources[index];
    if (source === undefined) throw new Error(`expected input ${index} of ${job.sources.length}`);
    return source;
  };
  const first = at(piece.input);
  const timescale = String(joinTimescale(target));
  if (piece.kind === 'copy') {
    // Half a picture late: the keyframe that was meant is the last one before it, however its time was rounded.
    const late = ((piece.fromMs + first.table.frameMs / 2) / 1_000).toFixed(6);
    const options = [...(piece.from === 0 ? [] : ['-ss', late]), '-an', '-sn', '-dn'];
    return {
      inputs: [{ kind: 'file', path: first.path, options }],
      args: [
        ...['-map', `0:${first.video.index}`, '-map_metadata', '-1', '-c', 'copy', '-frames:v', String(piece.frames)],
        ...['-video_track_timescale', timescale, ...fragmented],
      ],
    };
  }
  const { preset, threads } = settings;
  const coding = [
    ...['-frames:v', String(framesIn(piece.lengthMs, target)), '-map_metadata', '-1', '-an'],
    ...[...joinEncoderArgs(target, { preset, threads, setsId: target.sets_id - 1 }), ...fragmented],
  ];
  const opened = ({ path }: JoinSource, fromMs: number): FfmpegInput => ({
    ...{ kind: 'file', path, options: [...seekTo(fromMs), '-an', '-sn', '-dn'] },
  });
  if (piece.kind === 'encode') {
    const fade = piece.fade === undefined ? '' : `,fade=t=${piece.fade}:st=0:d=${seconds(piece.lengthMs)}`;
    const filter = `${joinPictureFilter(first.video, target)}${fade}`;
    return {
      inputs: [opened(first, piece.fromMs)],
      args: ['-map', `0:${first.video.index}`, '-vf', filter, ...coding],
    };
  }
  const next = at(piece.input + 1);
  const length = seconds(Math.min(piece.lengthMs, transition.duration_ms));
  const graph = [
    `[0:${first.video.index}]${joinPictureFilter(first.video, target)},settb=1/${timescale}[a]`,
    `[1:${next.video.index}]${joinPictureFilter(next.video, target)},settb=1/${timescale}[b]`,
    `[a][b]xfade=transition=fade:duration=${length}:offset=0,fps=${rateText(target)},format=yuv420p[out]`,
  ].join(';');
  return {
    inputs: [opened(first, piece.fromMs), opened(next, piece.nextFromMs)],
    args: ['-filter_complex', graph, '-map', '[out]', ...coding],
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(6);
}
