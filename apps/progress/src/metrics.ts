import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';

/** Every metric of progress. Labels are bounded sets; no job, video, owner or worker is one. */
export function createProgressMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  return {
    mutations: new Counter({
      name: 'millrace_progress_mutations_total',
      help: 'Mutating calls that were carried out, by action.',
      labelNames: ['action'] as const,
      registers,
    }),
    refusedTokens: new Counter({
      name: 'millrace_progress_tokens_refused_total',
      help: 'API tokens that were refused, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    idempotentCalls: new Counter({
      name: 'millrace_progress_idempotent_calls_total',
      help: 'Calls with an Idempotency-Key, by outcome (first, replayed, other-body).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    slowRequests: new Counter({
      name: 'millrace_progress_slow_requests_total',
      help: 'Requests that took longer than PROGRESS_SLOW_REQUEST_MS, by route.',
      labelNames: ['route'] as const,
      registers,
    }),
    submitDuration: new Histogram({
      name: 'millrace_progress_submit_duration_seconds',
      help: 'Time from the head of a request to its 202 or 409, by route.',
      labelNames: ['route'] as const,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    shedSubmits: new Counter({
      name: 'millrace_progress_submits_shed_total',
      help: 'Submits that were turned away with 503, by reason (full, slow, stalled).',
      labelNames: ['reason'] as const,
      registers,
    }),
    submitsOpen: new Gauge({
      name: 'millrace_progress_submits_open',
      help: 'Submits that are being answered.',
      registers,
    }),
    submissions: new Counter({
      name: 'millrace_progress_submissions_total',
      help: 'Jobs that were submitted, by kind and outcome (accepted, conflict, quota; replaced: one that force cancelled).',
      labelNames: ['kind', 'outcome'] as const,
      registers,
    }),
    jobsEnded: new Counter({
      name: 'millrace_progress_jobs_ended_total',
      help: 'Jobs that ended, by kind and status (completed, failed, cancelled).',
      labelNames: ['kind', 'status'] as const,
      registers,
    }),
    jobsOpen: new Gauge({
      name: 'millrace_progress_jobs_open',
      help: 'Jobs that wait or run, by kind and status (pending, processing).',
      labelNames: ['kind', 'status'] as const,
      registers,
    }),
    tasksOpen: new Gauge({
      name: 'millrace_progress_tasks_open',
      help: 'Tasks that can be leased or are, by kind and status (ready, leased).',
      labelNames: ['kind', 'status'] as const,
      registers,
    }),
    attempts: new Counter({
      name: 'millrace_progress_attempts_total',
      help: 'Leases that ended, by outcome (done, failed, stopped, returned, lapsed).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    reportsRefused: new Counter({
      name: 'millrace_progress_reports_refused_total',
      help: 'Reports and ends of leases that are not the worker’s any more, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    leaseCalls: new Counter({
      name: 'millrace_progress_lease_calls_total',
      help: 'Calls of workers, by what came of them.',
      labelNames: ['reason'] as const,
      registers,
    }),
    cleanups: new Counter({
      name: 'millrace_progress_cleanups_total',
      help: 'Keys and prefixes removed from the media store, by outcome (removed, again, failed).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    uploads: new Counter({
      name: 'millrace_progress_uploads_total',
      help: 'Uploads, by outcome (created, done, failed, ended, expired).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    uploadBytes: new Counter({
      name: 'millrace_progress_upload_bytes_total',
      help: 'Bytes of uploads that were stored.',
      registers,
    }),
    uploadsRefused: new Counter({
      name: 'millrace_progress_uploads_refused_total',
      help: 'Requests of uploads that were refused, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    imports: new Counter({
      name: 'millrace_progress_imports_total',
      help: 'Imports from URLs, by what was fetched (original, picture) and outcome (done, retried, failed).',
      labelNames: ['of', 'outcome'] as const,
      registers,
    }),
    importBytes: new Counter({
      name: 'millrace_progress_import_bytes_total',
      help: 'Bytes fetched from URLs.',
      registers,
    }),
    importResumes: new Counter({
      name: 'millrace_progress_import_resumes_total',
      help: 'How often the rest of a file was asked for, after its server broke off or an instance of ours died.',
      registers,
    }),
    webhookTries: new Counter({
      name: 'millrace_progress_webhook_tries_total',
      help: 'Tries to deliver to webhooks, by outcome (delivered, retried, failed).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    sweptRows: new Counter({
      name: 'millrace_progress_swept_rows_total',
      help: 'Rows removed by the sweeper, by kind (job, answer, delivery).',
      labelNames: ['kind'] as const,
      registers,
    }),
    imageQueries: new Histogram({
      name: 'millrace_progress_image_query_duration_seconds',
      help: 'Time of the queries of images, by query (get, has_video, status, batch, list, history).',
      labelNames: ['query'] as const,
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    picturesRefused: new Counter({
      name: 'millrace_progress_pictures_refused_total',
      help: 'Pictures that were not taken, by reason (not-a-picture, picture-too-large, too-many-pixels).',
      labelNames: ['reason'] as const,
      registers,
    }),
    thumbnails: new Counter({
      name: 'millrace_progress_thumbnails_total',
      help: 'Jobs of thumbnails that ended, by outcome (made, failed, impossible, gone).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    loopFailures: new Counter({
      name: 'millrace_progress_loop_failures_total',
      help: 'Failed rounds of background loops, by loop; each is tried again.',
      labelNames: ['loop'] as const,
      registers,
    }),
  };
}

export type ProgressMetrics = ReturnType<typeof createProgressMetrics>;
