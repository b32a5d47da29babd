/** A still picture to a video: it is laid out once, looked at through a moving frame, captioned, and given the sound of another video. */
import { join } from 'node:path';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type FfmpegInput, imageFormats, probeFile, runFfmpeg } from '@millrace/ffmpeg';
import { frameRateOf, framesPerSecond } from '@millrace/ladder';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { captionFilter } from '../core/caption.ts';
import { type MotionWish, motionGraph } from '../core/motion-plan.ts';
import { mostPixels } from '../core/picture-limit.ts';
import { turnedSize } from '../core/picture-turn.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { keepFileAsset } from './file-asset.ts';
import { pictureEncoderArgs, soundArgs, soundInput, writeCaption } from './still-encoder.ts';
import { failureOfRun, failureOfStore, refusal } from './task-failures.ts';

/** Part of the work that is done when the file is encoded. */
const encoded = 0.9;

/** Executor of kind `animate`. */
export function createAnimateTask(settings: EncoderSettings): TaskExecutor<'animate'> {
  return async (spec, context) => {
    const { store, scratch, signal } = context;
    const picture = await fetchToScratch(store, spec.image, scratch, signal);
    if (!picture.ok) return err(failureOfStore(picture.error, 'reading the picture'));
    const sound = await soundInput(spec.audio, context);
    if (!sound.ok) return sound;
    const path = join(scratch, 'animated.mp4');
    const drawn = await draw(spec, picture.value, sound.value, path, settings, context);
    if (!drawn.ok) return drawn;
    const { asset, output } = spec;
    context.report(encoded, 'writing the video');
    const kept = await keepFileAsset({ path, asset, output, settings }, context);
    return kept.ok ? ok({ kind: 'animate', ...kept.value }) : kept;
  };
}

async function draw(
  spec: SpecOf<'animate'>,
  picture: string,
  sound: FfmpegInput | undefined,
  path: string,
  settings: EncoderSettings,
  { scratch, signal, log, report }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const probed = await probeFile(picture, { signal, log, formats: imageFormats });
  if (!probed.ok) return err(failureOfRun(probed.error, 'reading the picture'));
  const { video } = probed.value;
  if (video === undefined) return err(refusal('bad-media', 'expected a picture, got a file without one'));
  const { codedWidth, codedHeight } = video;
  if (codedWidth < 1 || codedHeight < 1) return err(refusal('bad-media', 'expected a picture, got one without a size'));

  const { width, height, motion, fill = 'crop', orientation = 1, duration_ms } = spec;
  const rate = frameRateOf(spec.frames_per_second);
  const frames = Math.max(1, Math.round((duration_ms / 1_000) * framesPerSecond(rate)));
  const shown = turnedSize({ width: codedWidth, height: codedHeight }, orientation);
  const wish: MotionWish = { motion, fill, picture: shown, orientation, width, height, rate, frames };
  const captionFile = await writeCaption(spec, scratch);
  const finish = captionFile === undefined ? 'null' : captionFilter(captionFile, height);
  const run = await runFfmpeg({
    inputs: [
      { kind: 'file', path: picture, formats: imageFormats, options: ['-noautorotate'] },
      ...(sound === undefined ? [] : [sound]),
    ],
    args: [
      ...['-filter_complex', `${motionGraph(wish)};[moving]${finish}[shown]`, '-map', '[shown]'],
      ...pictureEncoderArgs(rate, settings),
      ...(sound === undefined ? ['-an'] : soundArgs('1:a:0', (frames * 1_000) / framesPerSecond(rate), settings)),
      ...['-map_metadata', '-1', '-movflags', '+faststart', '-f', 'mp4', path],
    ],
    onProgress: (outTimeMs) => report(Math.min(encoded, (encoded * outTimeMs) / duration_ms)),
    limits: { threads: settings.threads, niceness: settings.niceness, maxPixels: mostPixels },
    signal,
    log,
  });
  return run.ok ? ok() : err(failureOfRun(run.error, 'animating the picture'));
}
