/** A small copy of a picture, for lists. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFormats, runFfmpeg } from '@millrace/ffmpeg';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok } from '@millrace/result';
import { mostPixels } from '../core/picture-limit.ts';
import type { TaskExecutor } from '../core/task-executor.ts';
import { planThumbnail } from '../core/thumbnail-plan.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { failureOfRun, failureOfStore } from './task-failures.ts';

/** A picture of that size takes 2 s; somebody who makes one that takes longer gets none, ms. */
const longestMs = 60_000;

/** Executor of kind `thumbnail`. */
export function createThumbnailTask({ threads, niceness }: EncoderSettings): TaskExecutor<'thumbnail'> {
  return async (spec, { store, scratch, signal, log }) => {
    const picture = await fetchToScratch(store, spec.image, scratch, signal);
    if (!picture.ok) return err(failureOfStore(picture.error, 'reading the picture'));
    const { width, height, orientation, side, content_type: contentType } = spec;
    const plan = planThumbnail({ width, height, orientation, side, contentType });
    const path = join(scratch, 'thumbnail.webp');
    const run = await runFfmpeg({
      inputs: [{ kind: 'file', path: picture.value, formats: imageFormats, options: ['-noautorotate'] }],
      args: [
        ...['-map', '0:v:0', '-vf', plan.filter, '-frames:v', '1', '-map_metadata', '-1'],
        ...['-c:v', 'libwebp', '-quality', '80', '-f', 'webp', path],
      ],
      limits: { threads, niceness, maxPixels: mostPixels, totalMs: longestMs },
      signal,
      log,
    });
    if (!run.ok) return err(failureOfRun(run.error, 'making the thumbnail'));
    const { size: bytes } = await stat(path);
    const kept = await store.putFile(spec.output, path);
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing the thumbnail'));
    return ok({ kind: 'thumbnail', width: plan.width, height: plan.height, bytes });
  };
}
