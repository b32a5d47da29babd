import type { TranscodeSettings } from '../config.ts';
import type { SpeechRecogniser } from '../core/speech-recogniser.ts';
import type { TaskExecutors } from '../core/task-executor.ts';
import type { TranscodeMetrics } from '../metrics.ts';
import { createHttpVideoGenerator } from '../outbound/http-video-generator.ts';
import { createAnimateTask } from './animate-task.ts';
import { createAudioTask } from './audio-task.ts';
import { defaultEncoder, type EncoderSettings } from './encoder-settings.ts';
import { createGenerateTask } from './generate-task.ts';
import { createInspectTask } from './inspect-task.ts';
import { JoinFiles } from './join-files.ts';
import { createJoinTask } from './join-task.ts';
import { createNormaliseTask } from './normalise-task.ts';
import { createPosterTask } from './poster-task.ts';
import { createProbeTask } from './probe-task.ts';
import { ProbedFiles } from './probed-files.ts';
import { createPublishTask } from './publish-task.ts';
import { createSoundTask } from './sound-task.ts';
import { createSpanTask } from './span-task.ts';
import { createPocketsphinx } from './speech/pocketsphinx.ts';
import { createTranscriptionEndpoint } from './speech/transcription-endpoint.ts';
import { createSubtitlesTask } from './subtitles-task.ts';
import { createThumbnailTask } from './thumbnail-task.ts';

/** Kind of task -> who does it. Kinds that are missing here are left to other workers. */
export function createTaskExecutors(
  settings: TranscodeSettings,
  metrics: Pick<TranscodeMetrics, 'speechNoise'>,
): TaskExecutors {
  const encoder = encoderOf(settings);
  const files = new ProbedFiles();
  const joinFiles = new JoinFiles();
  const providerKeys = providerKeysOf(settings);
  return {
    probe: createProbeTask(encoder, files),
    audio: createAudioTask(encoder, files),
    subtitles: createSubtitlesTask(recogniserOf(settings, encoder.niceness), (reason, count) =>
      metrics.speechNoise.inc({ reason }, count),
    ),
    poster: createPosterTask(encoder, files),
    span: createSpanTask(encoder, files),
    publish: createPublishTask(),
    animate: createAnimateTask(encoder),
    generate: createGenerateTask({
      settings: encoder,
      generatorOf: ({ name, url }) => createHttpVideoGenerator({ name, url, key: providerKeys.get(name) }),
    }),
    thumbnail: createThumbnailTask(encoder),
    inspect: createInspectTask(encoder, joinFiles),
    normalise: createNormaliseTask(encoder, joinFiles),
    sound: createSoundTask(encoder, joinFiles),
    join: createJoinTask(encoder, joinFiles),
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

/** Keys of providers by name, of `name=key,...`. */
function providerKeysOf(settings: TranscodeSettings): ReadonlyMap<string, string> {
  const pairs = (settings.TRANSCODE_IMAGE_PROVIDER_KEYS?.reveal() ?? '').split(',').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()]),
  );
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
