/** The job engine put together: desk, leases, and the loops that keep it honest. Closing it lets whoever waits go. */
import type { Clock } from '@millrace/clock';
import type { JobLeases } from '@millrace/handover';
import type { IdSource } from '@millrace/ids';
import { defaultRetryPolicy } from '@millrace/job';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { Sql } from '@millrace/postgres';
import type { ProgressSettings } from './config.ts';
import type { EngineCounts, EngineDeps, Hints } from './core/engine-deps.ts';
import { createEngineDesk } from './core/engine-desk.ts';
import type { JobDesk } from './core/job-desk.ts';
import type { JobTypes } from './core/job-types.ts';
import { countProgress } from './core/progress-count.ts';
import type { ProgressStore } from './core/store.ts';
import { JobWaiters } from './inbound/job-waiters.ts';
import { runLapseWatch } from './inbound/lapse-watch.ts';
import { JobLeaseDesk } from './inbound/lease-desk.ts';
import { MovedJobs } from './inbound/moved-jobs.ts';
import { StopDesk } from './inbound/stop-desk.ts';
import { runStoreCleaner } from './inbound/store-cleaner.ts';
import { runSweeper } from './inbound/sweeper.ts';
import { UsualDurations } from './inbound/usual-durations.ts';
import type { ProgressMetrics } from './metrics.ts';
import { WakeChannel } from './outbound/wake-channel.ts';

export interface EngineOptions {
  readonly settings: ProgressSettings;
  readonly store: ProgressStore;
  readonly types: JobTypes;
  readonly mediaStore: MediaStore;
  /** For hints between instances; undefined: this is the only one, and its workers are in this process. */
  readonly sql: Sql | undefined;
  readonly instanceId: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: ProgressMetrics;
}

export interface JobEngine extends AsyncDisposable {
  readonly desk: JobDesk;
  readonly leases: JobLeases;
  /** Whether the database answered when it was last asked. */
  readonly reachable: boolean;
}

const pollMs = 1_000;
const dayMs = 24 * 3_600_000;

/** Opens the engine; its loops run until it is closed. */
export function openJobEngine(options: EngineOptions): JobEngine {
  const { settings, store, types, log, clock, idSource, metrics } = options;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const leaseMs = settings.PROGRESS_LEASE_MS;
  const waiters = new JobWaiters(store.jobs, clock, pollMs);
  const stops = new StopDesk({ tasks: store.tasks, clock, log, pollMs });
  const usual = new UsualDurations(store.jobs, clock);

  const here: Hints = {
    work: () => leases.wake(),
    stop: (orders) => stops.give(orders),
    ended: (jobId, status) => waiters.tell(jobId, status),
    moved: (jobIds) => moved.add(jobIds),
  };
  const channel =
    options.sql &&
    new WakeChannel({
      ...{ sql: options.sql, clock, log, instanceId: options.instanceId },
      onHint(hint) {
        if (hint.work) here.work();
        here.stop(hint.stops);
        for (const { jobId, status } of hint.ended) here.ended(jobId, status);
      },
    });
  const hints: Hints = {
    work() {
      here.work();
      channel?.send({ work: true });
    },
    stop(orders) {
      here.stop(orders);
      channel?.send({ stops: [...orders] });
    },
    ended(jobId, status) {
      here.ended(jobId, status);
      channel?.send({ ended: [{ jobId, status }] });
    },
    moved: here.moved,
  };
  const engine: EngineDeps = {
    ...{ store, types, clock, idSource, hints, random: Math.random, usualMs: usual.of },
    limits: {
      maxOpen: settings.PROGRESS_MAX_QUEUED_JOBS,
      maxProcessing: settings.PROGRESS_MAX_ACTIVE_JOBS,
      leaseMs,
      retry: { ...defaultRetryPolicy, maxFailures: settings.PROGRESS_MAX_TASK_FAILURES },
    },
    counts: countsOf(metrics),
  };
  const leases = new JobLeaseDesk({ engine, stops, clock, log, pollMs });
  const moved = new MovedJobs({
    ...{ clock, log, intervalMs: settings.PROGRESS_INTERVAL_MS },
    count: (jobIds) => countProgress(engine, jobIds),
    onFailure: () => metrics.loopFailures.inc({ loop: 'progress-count' }),
  });
  let reachable = true;
  const loop = (name: string, run: (signal: AbortSignal) => Promise<void>) => {
    scope.use(new Background(run, (error) => log.error('loop-crashed', { loop: name, error })), name);
  };
  // closed in reverse: what waits is let go first, the count of what moved comes last
  loop('progress-count', (signal) => moved.run(signal));
  scope.defer('last-count', () => moved.flush());
  loop('store-cleaner', (signal) =>
    runStoreCleaner({ ...options, cleanups: store.cleanups, lateWriteMs: 2 * leaseMs + 5_000 }, signal),
  );
  loop('sweeper', (signal) =>
    runSweeper({ store, clock, log, metrics, retentionMs: settings.PROGRESS_RETENTION_DAYS * dayMs }, signal),
  );
  const onRound = (ok: boolean) => void (reachable = ok);
  loop('lapse-watch', (signal) =>
    runLapseWatch({ engine, clock, log, metrics, onRound, workersHere: channel === undefined }, signal),
  );
  if (channel !== undefined) loop('wake-channel', (signal) => channel.run(signal));
  loop('stop-desk', (signal) => stops.run(signal));
  loop('lease-desk', (signal) => leases.run(signal));
  loop('job-waiters', (signal) => waiters.run(signal));

  return {
    desk: { ...createEngineDesk(engine), ended: waiters.ended },
    leases,
    get reachable() {
      return reachable;
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

function countsOf(metrics: ProgressMetrics): EngineCounts {
  return {
    submitted: (kind, outcome) => metrics.submissions.inc({ kind, outcome }),
    ended: (kind, status) => metrics.jobsEnded.inc({ kind, status }),
    attempt: (outcome) => metrics.attempts.inc({ outcome }),
    refused: (reason) => metrics.reportsRefused.inc({ reason }),
  };
}
