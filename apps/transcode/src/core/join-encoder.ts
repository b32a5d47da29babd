/** How pictures are encoded that go into one track with copied ones: the same arguments give the same parameter sets, everywhere. */
import type { JoinTarget } from '@millrace/api';
import type { ProbedVideo } from '@millrace/ffmpeg';
import { frameRateOf, framesPerSecond, timescaleOf } from '@millrace/ladder';
import type { FrameTable } from './frame-table.ts';

/** Better than a rung of a ladder: a composition may be an original again. */
const crf = 19;

export interface JoinEncoding {
  readonly preset: string;
  readonly threads: number;
  readonly setsId: number;
}

/** x264 at a constant rate of frames, a keyframe every two seconds, no group open to the one before. */
export function joinEncoderArgs(target: JoinTarget, { preset, threads, setsId }: JoinEncoding): readonly string[] {
  const gop = String(Math.max(1, Math.round(framesPerSecond(rateOf(target)) * 2)));
  // colours of different sources would make different sets; what they are is in the pictures
  const params = `${tools[target.profile]}sps-id=${setsId}:open-gop=0:colorprim=undef:transfer=undef:colormatrix=undef`;
  return [
    ...['-c:v', 'libx264', '-preset', preset, '-profile:v', target.profile, '-crf', String(crf)],
    ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-r', rateText(target), '-threads', String(threads)],
    ...['-x264-params', params, '-video_track_timescale', String(timescaleOf(rateOf(target)))],
  ];
}

/** x264 names the least profile that what it uses needs: so it has to use what makes it the wanted one, whatever its preset. */
const tools = { baseline: '', main: 'cabac=1:8x8dct=0:', high: 'cabac=1:8x8dct=1:' } as const;

/**
 * Filter to the target's frames: its rate, its size with bars where the shape differs, and no frame less than asked for. `firstMs`: when the
 * first picture that comes is shown, from the first frame of the output; at most half a frame later, and any time earlier.
 */
export function joinPictureFilter(video: Pick<ProbedVideo, 'fieldOrder'>, target: JoinTarget, firstMs = 0): string {
  const { width, height } = target;
  const interlaced = video.fieldOrder !== undefined && video.fieldOrder !== 'progressive';
  return [
    ...(interlaced ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    `setpts=PTS-STARTPTS${firstMs === 0 ? '' : `+(${(firstMs / 1_000).toFixed(6)})/TB`}`,
    `fps=fps=${rateText(target)}:round=near:start_time=0`,
    `scale=${width}:${height}:flags=bicubic:out_range=tv:force_original_aspect_ratio=decrease:force_divisible_by=2`,
    `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`,
    ...['setsar=1', 'format=yuv420p', 'tpad=stop=-1:stop_mode=clone'],
  ].join(',');
}

/** How many frames of the target's rate last as long. */
export function framesIn(lengthMs: number, target: JoinTarget): number {
  return Math.max(1, Math.round((lengthMs * framesPerSecond(rateOf(target))) / 1_000));
}

/** Where the frames of an encoded input are cut into spans: as many as last `spanMs`, or few more, and whole groups of pictures. */
export function spanFrames(spanMs: number, target: JoinTarget): number {
  const gop = framesIn(2_000, target);
  return Math.ceil(framesIn(spanMs, target) / gop) * gop;
}

/** The picture that is shown in frame `frame` of the output, which begins with picture `from`; the filter chooses the same. */
export function pictureAt(
  table: Pick<FrameTable, 'timeAt' | 'indexAt'>,
  { from, to }: { readonly from: number; readonly to: number },
  frame: number,
  target: JoinTarget,
): number {
  const perMs = framesPerSecond(rateOf(target)) / 1_000;
  const frameOf = (index: number) => Math.round((table.timeAt(index) - table.timeAt(from)) * perMs);
  let index = Math.min(to - 1, Math.max(from, table.indexAt(table.timeAt(from) + frame / perMs)));
  while (index > from && frameOf(index) > frame) index--;
  while (index + 1 < to && frameOf(index + 1) <= frame) index++;
  return index;
}

/** Ticks a second of the joined pictures. */
export function joinTimescale(target: JoinTarget): number {
  return timescaleOf(rateOf(target));
}

export function rateText(target: JoinTarget): string {
  const { num, den } = rateOf(target);
  return `${num}/${den}`;
}

function rateOf(target: JoinTarget) {
  return frameRateOf(target.frames_per_second);
}
