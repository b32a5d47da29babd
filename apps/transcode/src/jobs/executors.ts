import type { TranscodeSettings } from '../config.ts';
import type { TaskExecutors } from '../core/task-executor.ts';
import { createAudioTask } from './audio-task.ts';
import { defaultEncoder, type EncoderSettings } from './encoder-settings.ts';
import { createPosterTask } from './poster-task.ts';
import { createProbeTask } from './probe-task.ts';
import { createPublishTask } from './publish-task.ts';
import { createSpanTask } from './span-task.ts';

/** Kind of task -> who does it. Kinds that are missing here are left to other workers. */
export function createTaskExecutors(settings: TranscodeSettings): TaskExecutors {
  const encoder = encoderOf(settings);
  return {
    probe: createProbeTask(encoder),
    audio: createAudioTask(encoder),
    poster: createPosterTask(encoder),
    span: createSpanTask(encoder),
    publish: createPublishTask(),
  };
}

function encoderOf(settings: TranscodeSettings): EncoderSettings {
  return {
    ...defaultEncoder,
    preset: settings.TRANSCODE_PRESET,
    crf: settings.TRANSCODE_CRF,
    threads: settings.TRANSCODE_ENCODER_THREADS,
  };
}
