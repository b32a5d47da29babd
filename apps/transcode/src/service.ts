/**
 * Transcode as a service: parks at the ingests' desks and packages the sources it is given into delivery's live windows; leases
 * tasks of media jobs from progress and does them.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import type { JobLeases, LiveWindowWriter, SourceDesk } from '@millrace/handover';
import type { Service } from '@millrace/http';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { type MediaStore, withLocalCopies } from '@millrace/media-store';
import type { MetricsRegistry } from '@millrace/metrics';
import type { TranscodeSettings } from './config.ts';
import type { ScratchSpace } from './core/scratch.ts';
import type { TaskExecutors } from './core/task-executor.ts';
import { JobWorker } from './inbound/job-worker.ts';
import { SourceClaims } from './inbound/source-claims.ts';
import { createTaskExecutors } from './jobs/executors.ts';
import { createTranscodeMetrics, registerTranscodeGauges, type TranscodeMetrics } from './metrics.ts';
import { createRenditionFacts } from './outbound/rendition-facts.ts';
import { openScratchSpace } from './outbound/scratch-space.ts';
import { SegmentPush } from './outbound/segment-push.ts';

/** Where media jobs come from and where their media rests. */
export interface TranscodeJobs {
  readonly leases: JobLeases;
  readonly mediaStore: MediaStore;
  /** DATA_DIR of the process. */
  readonly dataDir: string;
  /** For tests; default: all that this worker can do. */
  readonly executors?: TaskExecutors;
}

export interface TranscodeDeps {
  readonly settings: TranscodeSettings;
  /** One for each ingest. */
  readonly desks: readonly SourceDesk[];
  readonly writer: LiveWindowWriter;
  readonly facts: FactWriter;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly workerId: string;
  /** Undefined: it takes no media jobs. */
  readonly jobs?: TranscodeJobs | undefined;
  /** In [0, 1): the jitter of retries. */
  readonly random?: () => number;
}

/** Progress is silent for longer than a lease: what runs has been given up, ms. */
const outOfTouchMs = 5_000;
/** In the worker's scratch folder, where no lease is called so. */
const copiesFolder = 'copies';
/** An original that no task asked for so long is not kept, ms. */
const copyIdleMs = 600_000;

/** Starts the service. It takes sources and tasks at once; closing it gives them back. */
export async function createTranscodeService(deps: TranscodeDeps): Promise<Service> {
  const { settings, clock, log } = deps;
  const metrics = createTranscodeMetrics(deps.metrics);
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const scratch = deps.jobs && scope.use(await openScratch(deps, deps.jobs, metrics), 'scratch');
  const desk = deps.jobs && scratch && { ...deps.jobs, scratch, mediaStore: keepCopies(deps, deps.jobs, scope) };
  const renditionFacts = scope.use(
    createRenditionFacts({ facts: deps.facts, clock, log, onFailed: () => metrics.factsFailed.inc() }),
    'rendition-facts',
  );
  const patienceMs = settings.TRANSCODE_WRITE_PATIENCE_MS;
  const pushing = { writer: deps.writer, clock, random: deps.random ?? Math.random, patienceMs };
  const claims = new SourceClaims({
    desks: deps.desks,
    workerId: deps.workerId,
    slots: settings.TRANSCODE_SLOTS,
    drainMs: settings.TRANSCODE_DRAIN_MS,
    openPush: (events) => new SegmentPush({ ...events, ...pushing }),
    renditionFacts,
    clock,
    log,
    metrics,
    maxQueuedBytes: settings.TRANSCODE_MAX_QUEUED_BYTES,
  });
  const isSpare = () => claims.queuedBytes < settings.TRANSCODE_MAX_QUEUED_BYTES;
  const jobs = desk && startJobWorker(deps, desk, { metrics, isSpare });
  scope.defer('sources-and-tasks', () => Promise.all([claims[Symbol.asyncDispose](), jobs?.[Symbol.asyncDispose]()]));
  registerTranscodeGauges(deps.metrics, {
    sources: () => claims.count,
    queuedBytes: () => claims.queuedBytes,
    tasks: () => jobs?.running ?? 0,
    scratchBytes: () => jobs?.scratchUsed ?? 0,
  });
  return {
    name: 'transcode',
    publicMounts: [],
    internalMounts: [],
    readiness() {
      const reasons = [
        ...(claims.closing ? ['draining'] : []),
        ...(claims.desks === 0 ? ['no ingest to park at'] : []),
        ...((jobs?.outOfTouchMs ?? 0) > outOfTouchMs ? ['progress does not answer'] : []),
      ];
      return { ready: reasons.length === 0, reasons };
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

/** A scratch folder that is this worker's own. */
function openScratch(deps: TranscodeDeps, jobs: TranscodeJobs, metrics: TranscodeMetrics) {
  const { clock, log } = deps;
  return openScratchSpace({
    folder: scratchFolder(deps, jobs),
    clock,
    log,
    onLeftovers: ({ processes, folders }) => {
      metrics.leftovers.inc({ kind: 'process' }, processes);
      metrics.leftovers.inc({ kind: 'folder' }, folders);
    },
    onStuck: () => metrics.scratchStuck.inc(),
  });
}

function scratchFolder({ settings, workerId }: TranscodeDeps, jobs: TranscodeJobs): string {
  return join(settings.TRANSCODE_SCRATCH_DIR ?? join(jobs.dataDir, 'scratch'), workerId);
}

/** The store, with copies of what it has in the scratch space, which is emptied at each start. */
function keepCopies(deps: TranscodeDeps, jobs: TranscodeJobs, scope: Scope): MediaStore {
  const copies = withLocalCopies({
    store: jobs.mediaStore,
    folder: join(scratchFolder(deps, jobs), copiesFolder),
    mostBytes: deps.settings.TRANSCODE_COPIES_BYTES,
    idleMs: copyIdleMs,
    clock: deps.clock,
  });
  return scope.use(copies, 'copies').store;
}

function startJobWorker(
  deps: TranscodeDeps,
  jobs: TranscodeJobs & { readonly scratch: ScratchSpace },
  around: { readonly metrics: TranscodeMetrics; readonly isSpare: () => boolean },
): JobWorker {
  const { settings, clock, log, workerId } = deps;
  return new JobWorker({
    ...around,
    leases: jobs.leases,
    // Another name after each start: nobody speaks for the tasks of a run that is gone, or of a worker of the same name.
    workerId: `${workerId.slice(0, 50)}.${randomUUID().slice(0, 8)}`,
    slots: settings.TRANSCODE_JOB_SLOTS || Math.max(1, Math.floor(availableParallelism() / 2)),
    scratchBytes: settings.TRANSCODE_SCRATCH_BYTES,
    executors: jobs.executors ?? createTaskExecutors(settings, around.metrics),
    store: jobs.mediaStore,
    scratch: jobs.scratch,
    clock,
    log,
    random: deps.random ?? Math.random,
  });
}
