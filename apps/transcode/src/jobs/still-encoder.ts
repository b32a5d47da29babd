/** How videos of images are encoded, whoever drew them: pictures at a constant rate, sound of another video under them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type FfmpegInput, probeFile } from '@millrace/ffmpeg';
import { type FrameRate, framesPerSecond, timescaleOf } from '@millrace/ladder';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { captionText } from '../core/caption.ts';
import type { TaskContext } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

const sampleRate = 48_000;
/** The encoder puts so many samples in front; without them at the start, what is heard is neither early nor late. */
const primingSamples = 1_024;
/** Every segment of the asset begins with a keyframe, s apart. */
const keyframeS = 2;
/** How long the end of the sound takes to be silent, at most, ms. */
const fadeMs = 1_000;

/**
 * H.264, cut into groups that a segment can begin with. The graph says how many pictures there are: `-frames:v` would end the sound with
 * the last of them, before it is all there.
 */
export function pictureEncoderArgs(rate: FrameRate, { preset, crf, threads }: EncoderSettings): readonly string[] {
  const group = Math.max(1, Math.round(keyframeS * framesPerSecond(rate)));
  return [
    ...['-r', `${rate.num}/${rate.den}`, '-fps_mode', 'passthrough'],
    ...['-c:v', 'libx264', '-preset', preset, '-profile:v', 'high', '-pix_fmt', 'yuv420p', '-crf', String(crf)],
    ...['-threads', String(threads), '-g', String(group), '-keyint_min', String(group), '-sc_threshold', '0'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ...['-video_track_timescale', String(timescaleOf(rate))],
  ];
}

/** Writes the words of a caption where ffmpeg reads them; undefined: there are none. */
export async function writeCaption(
  spec: Pick<SpecOf<'animate'>, 'caption' | 'width' | 'height'>,
  scratch: string,
): Promise<string | undefined> {
  const text = spec.caption === null ? '' : captionText(spec.caption, spec);
  if (text === '') return undefined;
  const path = join(scratch, 'caption.txt');
  await writeFile(path, text, 'utf8');
  return path;
}

/** The sound of a file, over and over; undefined: none was asked for. */
export async function soundInput(
  key: string | null,
  { store, scratch, signal, log }: TaskContext,
): Promise<Result<FfmpegInput | undefined, TaskFailure>> {
  if (key === null) return ok(undefined);
  const path = await fetchToScratch(store, key, scratch, signal);
  if (!path.ok) return err(failureOfStore(path.error, 'reading the sound'));
  const probed = await probeFile(path.value, { signal, log });
  if (!probed.ok) return err(failureOfRun(probed.error, 'reading the sound'));
  if (probed.value.audio === undefined) return err(refusal('no-audio', 'expected a video with sound, got one without'));
  return ok({ kind: 'file', path: path.value, options: ['-stream_loop', '-1', '-vn', '-sn', '-dn'] });
}

/** `stream` cut to the length of the pictures, or filled up with silence, and faded at the end. */
export function soundArgs(
  stream: string,
  lengthMs: number,
  { audioBitsPerSecond }: Pick<EncoderSettings, 'audioBitsPerSecond'>,
): readonly string[] {
  const fade = Math.min(fadeMs, lengthMs / 2);
  const samples = Math.round((lengthMs / 1_000) * sampleRate);
  const filter = [
    `aresample=${sampleRate}:async=1:first_pts=0`,
    'aformat=channel_layouts=stereo',
    `apad,atrim=end_sample=${samples}`,
    `afade=t=out:st=${((lengthMs - fade) / 1_000).toFixed(3)}:d=${(fade / 1_000).toFixed(3)}`,
    `atrim=start_sample=${primingSamples},asetpts=N/SR/TB+${primingSamples}/SR/TB`,
  ].join(',');
  return ['-map', stream, '-af', filter, '-c:a', 'aac', '-b:a', String(audioBitsPerSecond), '-ac', '2'];
}
