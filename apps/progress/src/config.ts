/** Settings of progress: the only reader of the environment. */
import { processingSteps } from '@millrace/api';
import { defineSettings, type Settings, setting } from '@millrace/config';
import { jobLeaseMs } from '@millrace/handover';
import { mediaStoreSettings } from '@millrace/media-store';
import { processSettings, processSettingsOrExit } from '@millrace/process';
import { z } from 'zod';
import { readProviders } from './core/image-submission.ts';

const defaultWeights = Object.entries(processingSteps).map(([step, weight]) => `${step}=${weight}`);

/** What the service itself needs; standalone takes the same table. */
export const progressSettings = defineSettings({
  PUBLIC_URL: setting.url({
    doc: 'Origin under which the world reaches the front.',
    fallback: 'http://localhost:8080',
  }),
  PROGRESS_LEASE_MS: setting.integer({
    doc: 'How long a worker may be silent before its tasks go to others, ms; workers stop by themselves after 5000.',
    fallback: String(jobLeaseMs),
    min: jobLeaseMs,
    max: 120_000,
  }),
  PROGRESS_INTERVAL_MS: setting.integer({
    doc: 'Shortest time between two published states of progress of one job, ms.',
    fallback: '200',
    min: 50,
    max: 60_000,
  }),
  PROGRESS_RETENTION_DAYS: setting.number({
    doc: 'How long jobs are kept after their end, days; of the newest of each subject the state stays.',
    fallback: '30',
    min: 0.01,
    max: 3_650,
  }),
  PROGRESS_MAX_ACTIVE_JOBS: setting.integer({
    doc: 'Jobs of one owner that run at once; further ones wait.',
    fallback: '20',
    min: 1,
    max: 100_000,
  }),
  PROGRESS_MAX_QUEUED_JOBS: setting.integer({
    doc: 'Jobs of one owner that wait or run; further ones are refused.',
    fallback: '1000',
    min: 1,
    max: 1_000_000,
  }),
  PROGRESS_MAX_SUBMITS: setting.integer({
    doc: 'Jobs that are being accepted at once; further ones are turned away with 503, as those that would take longer than a third of PROGRESS_SLOW_REQUEST_MS.',
    fallback: '256',
    min: 1,
    max: 10_000,
  }),
  PROGRESS_MAX_VIDEOS: setting.integer({
    doc: 'Most videos of one owner, those that are being made of others included.',
    fallback: '10000',
    min: 1,
    max: 10_000_000,
  }),
  PROGRESS_MAX_DURATION_S: setting.integer({
    doc: 'Longest video that is processed, seconds.',
    fallback: '43200',
    min: 1,
    max: 1_000_000,
  }),
  PROGRESS_MAX_UPLOAD_BYTES: setting.integer({
    doc: 'Largest original, bytes.',
    fallback: '21474836480',
    min: 1,
    max: 1_099_511_627_776,
  }),
  PROGRESS_MAX_OWNER_BYTES: setting.integer({
    doc: 'Bytes of originals that one owner may have, those on their way included.',
    fallback: '1099511627776',
    min: 1,
    max: 1_125_899_906_842_624,
  }),
  PROGRESS_MAX_UPLOADS: setting.integer({
    doc: 'Unfinished uploads of one owner.',
    fallback: '100',
    min: 1,
    max: 100_000,
  }),
  PROGRESS_UPLOAD_HOURS: setting.number({
    doc: 'How long an upload may rest before it is removed, hours.',
    fallback: '24',
    min: 0.01,
    max: 8_784,
  }),
  PROGRESS_MAX_IMAGES: setting.integer({
    doc: 'Most images of one owner.',
    fallback: '1000000',
    min: 1,
    max: 1_000_000_000,
  }),
  PROGRESS_MAX_IMAGE_BYTES: setting.integer({
    doc: 'Largest picture, bytes.',
    fallback: '33554432',
    min: 1,
    max: 1_073_741_824,
  }),
  PROGRESS_MAX_OWNER_IMAGE_BYTES: setting.integer({
    doc: 'Bytes of pictures that one owner may have.',
    fallback: '107374182400',
    min: 1,
    max: 1_125_899_906_842_624,
  }),
  PROGRESS_THUMBNAILS: setting.integer({
    doc: 'Thumbnails of pictures that wait or are made at once; 0: none are made.',
    fallback: '32',
    min: 0,
    max: 1_000,
  }),
  PROGRESS_IMAGE_PROVIDERS: {
    doc: 'External generators of videos of images, `name=url,...`; their keys are TRANSCODE_IMAGE_PROVIDER_KEYS of the workers.',
    schema: z.string().transform(readImageProviders),
    fallback: '',
    secret: false,
    optional: false,
  },
  PROGRESS_IMPORTS: setting.integer({
    doc: 'Originals that this instance fetches from URLs at once, and as many pictures; 0: imports are off.',
    fallback: '2',
    min: 0,
    max: 100,
  }),
  PROGRESS_ALLOW_NETWORKS: setting.list({
    doc: 'Networks beyond the public ones that imports and webhooks may reach: 10.1.0.0/16,...',
    fallback: '',
  }),
  PROGRESS_MAX_WEBHOOKS: setting.integer({
    doc: 'Most webhooks of one owner.',
    fallback: '20',
    min: 0,
    max: 10_000,
  }),
  PROGRESS_WEBHOOK_SECRET: setting.optionalSecret({
    doc: 'Seals the secrets of webhooks in the database: 32 random characters or more; unset: they are stored as they are.',
    shortest: 32,
  }),
  PROGRESS_MAX_TASK_FAILURES: setting.integer({
    doc: 'Attempts of a part of a job that may fail before the job does.',
    fallback: '3',
    min: 1,
    max: 100,
  }),
  PROGRESS_SLOW_REQUEST_MS: setting.integer({
    doc: 'Requests that take longer are logged and counted, ms.',
    fallback: '500',
    min: 1,
    max: 60_000,
  }),
  PROGRESS_STEP_WEIGHTS: {
    doc: 'Weights of the steps of processing a video, summing to 100.',
    schema: z.string().transform(readWeights),
    fallback: defaultWeights.join(','),
    secret: false,
    optional: false,
  },
});
export type ProgressSettings = Settings<typeof progressSettings>;

/** What only a process of its own needs beside `progressSettings`. */
export const progressProcessSettings = defineSettings({
  ...processSettings,
  ...progressSettings,
  ...mediaStoreSettings,
  HTTP_PORT: setting.port({ doc: 'Port of the REST API and of uploads.', fallback: '8080' }),
  DATABASE_URL: setting.text({
    doc: 'PostgreSQL of progress, also of the event log where KAFKA_BROKERS is empty.',
    secret: true,
  }),
  PROGRESS_INSTANCE_ID: setting.text({
    doc: 'Stable name of this instance.',
    fallback: 'progress-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});
export type ProgressProcessSettings = Settings<typeof progressProcessSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readProgressSettings(): ProgressProcessSettings {
  return processSettingsOrExit(progressProcessSettings, process.env);
}

export type StepWeights = { readonly [Step in keyof typeof processingSteps]: number };

/** `probe=5,audio=10,...`: all steps, summing to 100. */
function readWeights(text: string, context: z.RefinementCtx): StepWeights {
  const given = new Map(text.split(',').map((part) => [part.split('=')[0]?.trim(), Number(part.split('=')[1])]));
  const names = Object.keys(processingSteps);
  const weights = names.map((name) => given.get(name) ?? Number.NaN);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (given.size !== names.length || weights.some((weight) => !(weight >= 0)) || Math.abs(sum - 100) > 1e-6) {
    context.addIssue({
      code: 'custom',
      message: `weights of ${names.join(', ')} that sum to 100, as ${defaultWeights.join(',')}`,
    });
    return z.NEVER;
  }
  return Object.fromEntries(names.map((name, at) => [name, weights[at]])) as unknown as StepWeights;
}

function readImageProviders(text: string, context: z.RefinementCtx): ReadonlyMap<string, string> {
  const providers = readProviders(text);
  if (providers.ok) return providers.value;
  context.addIssue({ code: 'custom', message: providers.error });
  return z.NEVER;
}
