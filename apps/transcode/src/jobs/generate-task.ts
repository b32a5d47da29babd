/** The video of an image by an external generator: ordered, waited for, fetched, and brought to the size and length that were asked for. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SpecOf, TaskFailure } from '@millrace/api';
import { type FfmpegInput, probeFile, runFfmpeg } from '@millrace/ffmpeg';
import { frameRateOf, framesPerSecond } from '@millrace/ladder';
import { err, ok, type Result } from '@millrace/result';
import { captionFilter } from '../core/caption.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import type { VideoGenerator } from '../core/video-generator.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { keepFileAsset } from './file-asset.ts';
import { pictureEncoderArgs, soundArgs, soundInput, writeCaption } from './still-encoder.ts';
import { failureOfRun, refusal } from './task-failures.ts';

export interface GenerateOptions {
  readonly settings: EncoderSettings;
  readonly generatorOf: (provider: SpecOf<'generate'>['provider']) => VideoGenerator;
  /** Between two looks at the generator, ms. */
  readonly pollMs?: number;
  /** Longest that it may take, ms. */
  readonly patienceMs?: number;
}

/** Parts of the work that are done when the generator is, and when the file is encoded. */
const generated = 0.7;
const encoded = 0.95;
/** A cancelled task has ended within a second; so long the provider may take to hear of it, ms. */
const goodbyeMs = 400;

/** Executor of kind `generate`. */
export function createGenerateTask(options: GenerateOptions): TaskExecutor<'generate'> {
  return async (spec, context) => {
    const { scratch, signal } = context;
    const generator = options.generatorOf(spec.provider);
    const begun = await generator.begin(orderOf(spec), signal);
    if (!begun.ok) return begun;
    const fetched = join(scratch, 'generated');
    try {
      const ready = await waitFor(generator, begun.value, options, context);
      if (!ready.ok) return ready;
      const got = await generator.fetch(begun.value, fetched, signal);
      if (!got.ok) return got;
    } catch (error) {
      // a task that only moves to another worker finds what was begun; one that is cancelled should not be paid for
      if (isCancelled(signal)) await generator.cancel(begun.value, AbortSignal.timeout(goodbyeMs)).catch(() => {});
      throw error;
    }
    const path = join(scratch, 'normalised.mp4');
    const normalised = await normalise(spec, fetched, path, options.settings, context);
    if (!normalised.ok) return normalised;
    context.report(encoded, 'writing the video');
    const { asset, output } = spec;
    const kept = await keepFileAsset({ path, asset, output, settings: options.settings }, context);
    return kept.ok ? ok({ kind: 'generate', ...kept.value }) : kept;
  };
}

function orderOf(spec: SpecOf<'generate'>) {
  const { request_id, img_name, image_url, prompt, parameters, motion } = spec;
  const { duration_ms, width, height, frames_per_second } = spec;
  const asked = { request_id, img_name, image_url, prompt, parameters, motion };
  return { ...asked, duration_ms, width, height, frames_per_second };
}

async function waitFor(
  generator: VideoGenerator,
  id: string,
  { pollMs = 2_000, patienceMs = 3_600_000 }: GenerateOptions,
  { signal, report }: TaskContext,
): Promise<Result<void, TaskFailure>> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    const state = await generator.state(id, signal);
    if (!state.ok) return state;
    switch (state.value.kind) {
      case 'completed':
        return ok();
      case 'failed': {
        const { reason, retryable } = state.value;
        return err({ code: 'provider-failed', reason: `the provider failed: ${reason}`, retryable });
      }
      case 'working':
        if (state.value.done !== undefined) report(generated * state.value.done);
    }
    await wait(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return err({ code: 'provider-slow', reason: `the provider was not done after ${patienceMs} ms`, retryable: false });
}

function isCancelled(signal: AbortSignal): boolean {
  const stopped: unknown = signal.reason;
  return typeof stopped === 'object' && stopped !== null && 'reason' in stopped && stopped.reason === 'cancelled';
}

/** Exactly as many frames of the size as asked for: what is too long is cut, what is too short stands still at its end. */
async function normalise(
  spec: SpecOf<'generate'>,
  fetched: string,
  path: string,
  settings: EncoderSettings,
  context: TaskContext,
): Promise<Result<void, TaskFailure>> {
  const { signal, log, scratch, report } = context;
  const probed = await probeFile(fetched, { signal, log });
  if (!probed.ok) return err(failureOfRun(probed.error, 'reading what the provider made'));
  const { video, audio } = probed.value;
  if (video === undefined) return err(refusal('bad-media', 'expected a video of the provider, got a file without one'));
  const sound = await soundInput(spec.audio, context);
  if (!sound.ok) return sound;
  const { width, height, duration_ms } = spec;
  const rate = frameRateOf(spec.frames_per_second);
  const frames = Math.max(1, Math.round((duration_ms / 1_000) * framesPerSecond(rate)));
  const captionFile = await writeCaption(spec, scratch);
  const filter = [
    'setpts=PTS-STARTPTS',
    `fps=fps=${rate.num}/${rate.den}:round=near`,
    `scale=${width}:${height}:flags=bicubic:out_range=tv:force_original_aspect_ratio=decrease:force_divisible_by=2`,
    `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p`,
    `tpad=stop=-1:stop_mode=clone,trim=end_frame=${frames}`,
    ...(captionFile === undefined ? [] : [captionFilter(captionFile, height)]),
  ].join(',');
  const heard = sound.value === undefined ? audio && `0:${audio.index}` : '1:a:0';
  const lengthMs = (frames * 1_000) / framesPerSecond(rate);
  const inputs: FfmpegInput[] = [{ kind: 'file', path: fetched }];
  if (sound.value !== undefined) inputs.push(sound.value);
  const run = await runFfmpeg({
    inputs,
    args: [
      ...['-map', `0:${video.index}`, '-vf', filter, ...pictureEncoderArgs(rate, settings)],
      ...(heard === undefined ? ['-an'] : soundArgs(heard, lengthMs, settings)),
      ...['-map_metadata', '-1', '-movflags', '+faststart', '-f', 'mp4', path],
    ],
    onProgress: (outTimeMs) =>
      report(Math.min(encoded, generated + (encoded - generated) * (outTimeMs / duration_ms)), 'encoding the video'),
    limits: { threads: settings.threads, niceness: settings.niceness },
    signal,
    log,
  });
  return run.ok ? ok() : err(failureOfRun(run.error, 'encoding what the provider made'));
}
