import type { TranscodeSettings } from '../config.ts';
import type { SpeechRecogniser } from '../core/speech-recogniser.ts';
import type { TaskExecutors } from '../core/task-executor.ts';
import { createAnimateTask } from './animate-task.ts';
import { createAudioTask } from './audio-task.ts';
import { defaultEncoder, type EncoderSettings } from './encoder-settings.ts';
import { createInspectTask } from './inspect-task.ts';
import { createJoinTask } from './join-task.ts';
import { createNormaliseTask } from './normalise-task.ts';
import { createPosterTask } from './poster-task.ts';
import { createProbeTask } from './probe-task.ts';
import { createPublishTask } from './publish-task.ts';
import { createSpanTask } from './span-task.ts';
import { createPocketsphinx } from './speech/pocketsphinx.ts';
import { createTranscriptionEndpoint } from './speech/transcription-endpoint.ts';
import { createSubtitlesTask } from './subtitles-task.ts';

/** Kind of task -> who does it. Kinds that are missing here are left to other workers. */
export function createTaskExecutors(settings: TranscodeSettings): TaskExecutors {
  const encoder = encoderOf(settings);
  return {
    probe: createProbeTask(encoder),
    audio: createAudioTask(encoder),
    subtitles: createSubtitlesTask(recogniserOf(settings, encoder.niceness)),
    poster: createPosterTask(encoder),
    span: createSpanTask(encoder),
    publish: createPublishTask(),
    animate: createAnimateTask(encoder),
    inspect: createInspectTask(encoder),
    normalise: createNormaliseTask(encoder),
    join: createJoinTask(encoder),
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

function recogniserOf(settings: TranscodeSettings, niceness: number): SpeechRecogniser {
  const { TRANSCODE_ASR_URL: url, TRANSCODE_ASR_KEY: key, TRANSCODE_ASR_MODEL: model } = settings;
  if (url !== undefined) {
    const timeoutMs = settings.TRANSCODE_ASR_TIMEOUT_S * 1_000;
    return createTranscriptionEndpoint({ url, key: key?.reveal(), model, timeoutMs });
  }
  const { TRANSCODE_ASR_MODELS: modelsDir, TRANSCODE_ASR_LANGUAGE: defaultLanguage } = settings;
  return createPocketsphinx({ modelsDir, defaultLanguage, niceness });
}
