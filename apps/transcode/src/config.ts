/** Settings of transcode: the only reader of the environment. */
import { defineSettings, type Settings, setting } from '@millrace/config';
import { mediaStoreSettings } from '@millrace/media-store';
import { processSettings, processSettingsOrExit } from '@millrace/process';

/** What the service itself needs; standalone takes the same table. */
export const transcodeSettings = defineSettings({
  TRANSCODE_SLOTS: setting.integer({
    doc: 'Sources that this worker takes at once from each ingest.',
    fallback: '64',
    min: 1,
    max: 1_000,
  }),
  TRANSCODE_MAX_QUEUED_BYTES: setting.integer({
    doc: 'Media of one source that may wait for delivery before its publisher is slowed, bytes.',
    fallback: '8388608',
    min: 262_144,
    max: 268_435_456,
  }),
  TRANSCODE_WRITE_PATIENCE_MS: setting.integer({
    doc: 'How long an unavailable delivery is tried again before a source is given back, ms.',
    fallback: '5000',
    min: 0,
    max: 60_000,
  }),
  TRANSCODE_DRAIN_MS: setting.integer({
    doc: 'Longest wait at a stop for parts to be written before sources are given back, ms.',
    fallback: '2000',
    min: 0,
    max: 30_000,
  }),
  TRANSCODE_JOB_SLOTS: setting.integer({
    doc: 'Tasks of media jobs that this worker does at once; 0: half as many as the machine has cores, at least 1.',
    fallback: '0',
    min: 0,
    max: 64,
  }),
  TRANSCODE_SCRATCH_DIR: setting.optionalText({
    doc: 'Folder of the scratch space of tasks, below it one of each worker; unset: `scratch` in DATA_DIR.',
  }),
  TRANSCODE_SCRATCH_BYTES: setting.integer({
    doc: 'Most scratch space of all tasks together, bytes; the largest task is stopped when there is more.',
    fallback: '21474836480',
    min: 1_048_576,
    max: 1_125_899_906_842_624,
  }),
  TRANSCODE_COPIES_BYTES: setting.integer({
    doc: 'Originals from a bucket that are kept beside the scratch space for the tasks that follow, bytes together; the last one stays whatever its size.',
    fallback: '10737418240',
    min: 0,
    max: 1_125_899_906_842_624,
  }),
  TRANSCODE_PRESET: setting.text({
    doc: 'x264 preset of videos, `ultrafast` to `slow`; the same on all workers.',
    fallback: 'veryfast',
    pattern: /^(ultrafast|superfast|veryfast|faster|fast|medium|slow)$/,
  }),
  TRANSCODE_CRF: setting.integer({
    doc: 'Constant rate factor of videos, up to the bit rate of each rung: less is better and larger.',
    fallback: '22',
    min: 10,
    max: 40,
  }),
  TRANSCODE_ENCODER_THREADS: setting.integer({
    doc: 'Threads of one ffmpeg; 0: as many as it finds right.',
    fallback: '0',
    min: 0,
    max: 128,
  }),
  TRANSCODE_ASR_URL: setting.optionalUrl({
    doc: 'Speech recogniser for subtitles: an OpenAI-compatible .../audio/transcriptions, or /inference of whisper.cpp’s server; unset: pocketsphinx on this machine.',
  }),
  TRANSCODE_ASR_KEY: setting.optionalSecret({
    doc: 'Bearer token for TRANSCODE_ASR_URL.',
  }),
  TRANSCODE_IMAGE_PROVIDER_KEYS: setting.optionalSecret({
    doc: 'Bearer tokens for the providers of PROGRESS_IMAGE_PROVIDERS, `name=key,...`.',
    pattern: { regex: /^([a-z0-9-]+=[^,]+)(,[a-z0-9-]+=[^,]+)*$/, expected: 'name=key,...' },
  }),
  TRANSCODE_ASR_MODEL: setting.text({ doc: 'Model that TRANSCODE_ASR_URL is asked for.', fallback: 'whisper-1' }),
  TRANSCODE_ASR_TIMEOUT_S: setting.integer({
    doc: 'Longest that TRANSCODE_ASR_URL may take for ten minutes of speech, s.',
    fallback: '900',
    min: 1,
    max: 86_400,
  }),
  TRANSCODE_ASR_MODELS: setting.text({
    doc: 'Folder of pocketsphinx models, one folder each (Debian: pocketsphinx-en-us).',
    fallback: '/usr/share/pocketsphinx/model',
  }),
  TRANSCODE_ASR_LANGUAGE: setting.text({
    doc: 'What pocketsphinx takes a video for that names no language (BCP 47).',
    fallback: 'en',
    pattern: /^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$/,
  }),
});
export type TranscodeSettings = Settings<typeof transcodeSettings>;

/** What only a process of its own needs besides. */
export const transcodeProcessSettings = defineSettings({
  ...processSettings,
  ...transcodeSettings,
  ...mediaStoreSettings,
  TRANSCODE_INGEST_URLS: setting.list({
    doc: 'Internal listeners of the ingests to park at, comma-separated.',
    fallback: 'http://ingest:8081',
  }),
  TRANSCODE_DELIVERY_URLS: setting.list({
    doc: 'Internal listeners of the origins, comma-separated, spelled as DELIVERY_ORIGIN_URLS of the edges.',
    fallback: 'http://delivery:8081',
  }),
  TRANSCODE_ORIGIN_PATIENCE_MS: setting.integer({
    doc: 'How long one of several origins may be away before the next takes its streams, ms.',
    fallback: '1000',
    min: 0,
    max: 60_000,
  }),
  TRANSCODE_PROGRESS_URL: setting.optionalUrl({
    doc: 'Internal listener of progress, to lease tasks of media jobs from; unset: this worker takes none.',
  }),
  TRANSCODE_WORKER_ID: setting.text({
    doc: 'Stable name of this worker.',
    fallback: 'transcode-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});
export type TranscodeProcessSettings = Settings<typeof transcodeProcessSettings>;

/** Reads the environment and `.env`. On mistakes it prints all of them and exits 64. */
export function readTranscodeSettings(): TranscodeProcessSettings {
  return processSettingsOrExit(transcodeProcessSettings, process.env);
}
