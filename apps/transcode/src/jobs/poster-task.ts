/** A poster that shows something, and the storyboard. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type ProbedFile, type ProbedVideo, runFfmpeg } from '@millrace/ffmpeg';
import { fetchToScratch } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { originMs } from '../core/media-facts.ts';
import { pictureFilter } from '../core/picture-filter.ts';
import { interestOf, planStoryboard, renderStoryboard } from '../core/storyboard.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { ProbedFiles } from './probed-files.ts';
import { failureOfRun, failureOfStore } from './task-failures.ts';

/** Where a poster is looked for, as parts of the length, until one shows enough; the beginning is often black. */
const places = [0.15, 0.35, 0.6, 0.05, 0.8, 0];
const posterLongSide = 1_280;
/** Keyframes no further apart than this are pictures enough for a storyboard, ms. */
const closeMs = 5_000;
/** What a picture is judged by, pixels. */
const judged = { width: 64, height: 36 };

interface Source {
  readonly path: string;
  readonly file: ProbedFile;
  readonly video: ProbedVideo;
}

/** Executor of kind `poster`. */
export function createPosterTask(settings: EncoderSettings, files = new ProbedFiles()): TaskExecutor<'poster'> {
  return async (spec, context) => {
    const { store, scratch, signal, log } = context;
    const path = await fetchToScratch(store, spec.source, scratch, signal);
    if (!path.ok) return err(failureOfStore(path.error, 'reading the original'));
    const probed = await files.probe(path.value, { signal, log });
    if (!probed.ok) return err(failureOfRun(probed.error, 'reading the file'));
    const { video } = probed.value;
    if (video === undefined) return err({ code: 'bad-media', reason: 'the file has no picture', retryable: false });
    const source = { path: path.value, file: probed.value, video };

    const poster = await choosePoster(source, spec, settings, context);
    if (!poster.ok) return poster;
    const kept = await store.put(`${spec.asset}/poster.jpg`, [await readFile(poster.value.path)]);
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing the poster'));
    context.report(0.2);
    const storyboard = await makeStoryboard(source, spec, settings, context);
    if (!storyboard.ok) return storyboard;
    const { width, height } = poster.value;
    return ok({ kind: 'poster', poster: 'poster.jpg', storyboard: storyboard.value, width, height });
  };
}

async function choosePoster(
  source: Source,
  spec: SpecOf<'poster'>,
  settings: EncoderSettings,
  context: TaskContext,
): Promise<Result<{ readonly path: string; readonly width: number; readonly height: number }, TaskFailure>> {
  const scale = Math.min(1, posterLongSide / Math.max(spec.width, spec.height));
  const [width, height] = [spec.width, spec.height].map((side) => Math.max(2, Math.round((side * scale) / 2) * 2));
  if (width === undefined || height === undefined) throw new Error('a picture has two sides');
  let best: { readonly path: string; readonly deviation: number } | undefined;
  let failure: TaskFailure | undefined;
  for (const [i, place] of places.entries()) {
    const path = join(context.scratch, `poster-${i}.jpg`);
    const grey: Uint8Array[] = [];
    const run = await runFfmpeg({
      inputs: [
        { kind: 'file', path: source.path, options: ['-ss', ((place * spec.duration_ms) / 1_000).toFixed(3), '-an'] },
      ],
      args: [
        ...['-map', `0:${source.video.index}`, '-vf', pictureFilter(source.video, width, height), '-frames:v', '1'],
        ...['-q:v', '3', '-f', 'mjpeg', path, '-map', `0:${source.video.index}`, '-frames:v', '1'],
        ...['-vf', `scale=${judged.width}:${judged.height}:flags=area,format=gray`, '-f', 'rawvideo', 'pipe:1'],
      ],
      onOutput: async (bytes) => {
        for await (const piece of bytes) grey.push(piece);
      },
      signal: context.signal,
      log: context.log,
      limits: { threads: settings.threads, niceness: settings.niceness, totalMs: 300_000 },
    });
    if (!run.ok) failure = failureOfRun(run.error, 'choosing a poster');
    const { deviation, enough } = interestOf(Buffer.concat(grey));
    if (run.ok && grey.length > 0 && (best === undefined || deviation > best.deviation)) best = { path, deviation };
    if (run.ok && enough) break;
  }
  if (best !== undefined) return ok({ path: best.path, width, height });
  return err(failure ?? { code: 'bad-media', reason: 'no picture of the file can be decoded', retryable: false });
}

/** Writes sprites and their index; the path of the index, or null where not a single picture came. */
async function makeStoryboard(
  { path, file, video }: Source,
  { asset, duration_ms, width, height }: SpecOf<'poster'>,
  settings: EncoderSettings,
  { store, scratch, signal, log, report, inputs }: TaskContext,
): Promise<Result<string | null, TaskFailure>> {
  const plan = planStoryboard(duration_ms, width, height);
  const keyframes = inputs.find((input) => input.kind === 'probe')?.keyframes_ms ?? [];
  // Keyframes alone are decoded many times faster, and are enough where they are close: players seek to them anyway.
  const sparse =
    keyframes.length > 0 && largestGapMs(keyframes, duration_ms) <= Math.max(closeMs, plan.intervalMs * 1.5);
  const filter = [
    `setpts=PTS-(${(originMs(file) / 1_000).toFixed(6)})/TB`,
    `fps=fps=1000/${plan.intervalMs}:round=near:start_time=0`,
    pictureFilter(video, plan.width, plan.height),
    // what comes after the last keyframe, or is the end of a second that began, shows the last picture and not a black one
    `tpad=stop_mode=clone:stop=${plan.tiles},trim=end_frame=${plan.tiles}`,
    `tile=${plan.columns}x${plan.rows}`,
  ].join(',');
  const run = await runFfmpeg({
    inputs: [{ kind: 'file', path, options: ['-copyts', '-an', ...(sparse ? ['-skip_frame', 'nokey'] : [])] }],
    args: [
      ...['-map', `0:${video.index}`, '-vf', filter, '-fps_mode', 'passthrough', '-q:v', '5'],
      ...['-start_number', '0', '-f', 'image2', join(scratch, 'storyboard-%d.jpg')],
    ],
    onProgress: (outTimeMs) => report(0.2 + 0.75 * Math.min(1, outTimeMs / duration_ms)),
    signal,
    log,
    limits: { threads: settings.threads, niceness: settings.niceness },
  });
  if (!run.ok) return err(failureOfRun(run.error, 'making the storyboard'));
  const made = new Set((await readdir(scratch)).filter((name) => /^storyboard-\d+\.jpg$/.test(name)));
  const sheets = Array.from({ length: made.size }, (_, i) => `storyboard-${i}.jpg`);
  for (const sheet of sheets) {
    const kept = await store.putFile(`${asset}/${sheet}`, join(scratch, sheet));
    if (!kept.ok) return err(failureOfStore(kept.error, 'storing the storyboard'));
  }
  if (sheets.length === 0) return ok(null);
  const text = renderStoryboard(plan, duration_ms, sheets);
  const kept = await store.put(`${asset}/storyboard.vtt`, [new TextEncoder().encode(text)]);
  return kept.ok ? ok('storyboard.vtt') : err(failureOfStore(kept.error, 'storing the storyboard'));
}

function largestGapMs(times: readonly number[], endMs: number): number {
  return [...times, endMs].reduce((most, time, i, all) => Math.max(most, time - (all[i - 1] ?? 0)), 0);
}
