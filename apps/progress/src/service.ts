/** Composition of progress: migrations, the job engine, the kinds of jobs, and the API over them. */
import { createTokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic } from '@millrace/events';
import type { JobLeases } from '@millrace/handover';
import { createPublicFetch, honoMount, type OpenApiDocument, parseNetworks, type Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { MetricsRegistry } from '@millrace/metrics';
import { runMigrations, type Sql } from '@millrace/postgres';
import type { ProgressSettings } from './config.ts';
import type { JobDesk } from './core/job-desk.ts';
import { type JobType, JobTypes } from './core/job-types.ts';
import { LoopTurn } from './core/loop-turn.ts';
import type { ProgressStore } from './core/store.ts';
import { SubmitGate } from './core/submit-gate.ts';
import { type JobEngine, openJobEngine } from './engine.ts';
import { imageDepsOf, imageLimitsOf, openImages } from './images.ts';
import { openImports } from './imports.ts';
import { shedEarly } from './inbound/admission.ts';
import type { RouteDeps } from './inbound/api-context.ts';
import { createProgressApi } from './inbound/openapi.ts';
import { jobTypesOf } from './job-types.ts';
import { createProgressMetrics } from './metrics.ts';
import { createProgressStore, type Outbox } from './outbound/progress-store.ts';
import { openThumbnails, type Thumbnails } from './thumbnails.ts';
import { openUploads } from './uploads.ts';
import { createWebhookDoor, openWebhooks } from './webhooks.ts';

export interface ProgressDeps {
  readonly settings: ProgressSettings;
  readonly sql: Sql;
  /** The event log and its outbox in the same database. */
  readonly eventLog: EventLog & Outbox;
  /** Where originals and what is made of them rest; stays its opener's. */
  readonly mediaStore: MediaStore;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  readonly instanceId: string;
  /** Origin of the front, when its port is known only after start; default: from the settings. */
  readonly publicUrl?: () => string;
  /** `memory` when this is the only instance (standalone); `notify` (default) otherwise. */
  readonly wake?: 'memory' | 'notify';
  /** For tests: other kinds of jobs than progress's own. */
  readonly jobTypes?: readonly JobType[];
}

export interface ProgressService extends Service {
  /** For workers in the same process; others reach it over HTTP (`openJobLeaseServer` of @millrace/handover). */
  readonly leases: JobLeases;
  /** Counts what came of a worker's call; for the server that takes them. */
  readonly countLeaseCall: (reason: string) => void;
  readonly desk: JobDesk;
  readonly store: ProgressStore;
  /** Resolves once tokens can be verified. */
  readonly ready: Promise<void>;
  readonly openApi: OpenApiDocument;
  /** Answers an API request without a listener. */
  fetch(request: Request): Promise<Response>;
}

/** Opens progress on a database, an event log and a media store that stay their opener's. */
export async function createProgressService(deps: ProgressDeps): Promise<ProgressService> {
  const { settings, sql, eventLog, mediaStore, log, clock, idSource, instanceId } = deps;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    return await open();
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function open(): Promise<ProgressService> {
    await runMigrations({ sql, schema: 'progress', dir: new URL('../migrations', import.meta.url).pathname });
    const metrics = createProgressMetrics(deps.metrics);
    const store = createProgressStore(sql, eventLog);
    const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing-keys');
    const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked-tokens');
    const verifier = createTokenVerifier({ signingKeys, revoked, clock });

    const onPicture = () => thumbnails.wake();
    const kinds = { settings, clock, metrics, desk: () => engine.desk, onThumbnail: onPicture };
    const types = new JobTypes(deps.jobTypes ?? jobTypesOf(kinds));
    const engine: JobEngine = scope.use(
      openJobEngine({
        ...{ settings, store, types, mediaStore, instanceId, log, clock, idSource, metrics },
        sql: deps.wake === 'memory' ? undefined : sql,
      }),
      'engine',
    );
    const thumbnails: Thumbnails = scope.use(
      openThumbnails({
        ...{ store, clock, idSource, log, metrics, desk: engine.desk, mostOpen: settings.PROGRESS_THUMBNAILS },
      }),
      'thumbnails',
    );
    const publicUrl = deps.publicUrl ?? (() => settings.PUBLIC_URL.replace(/\/+$/, ''));
    const allowed = parseNetworks(settings.PROGRESS_ALLOW_NETWORKS);
    if (!allowed.ok) throw new Error(`PROGRESS_ALLOW_NETWORKS: ${allowed.error.message}`);
    const fetch = createPublicFetch({ allowed: allowed.value, userAgent: 'Millrace' });
    const imageLimits = imageLimitsOf(settings);
    const imports = scope.use(
      openImports(
        {
          ...{ store, mediaStore, fetch, desk: engine.desk, idSource, clock, log, metrics },
          maxBytes: settings.PROGRESS_MAX_UPLOAD_BYTES,
          maxOwnerBytes: settings.PROGRESS_MAX_OWNER_BYTES,
        },
        {
          ...{ store, fetch, idSource, clock, log, metrics, perOwner: imageLimits.perOwner, tryMs: 60_000 },
          intake: { mediaStore, metrics, limits: imageLimits },
          onPicture,
        },
        settings.PROGRESS_IMPORTS,
      ),
      'imports',
    );
    scope.use(await openWebhooks({ settings, store, eventLog, fetch, clock, idSource, log, metrics }), 'webhooks');
    const importing = settings.PROGRESS_IMPORTS > 0;
    const routes: RouteDeps = {
      ...{ store, verifier, clock, idSource, metrics, publicUrl, desk: engine.desk },
      imports: importing ? imports.originals : undefined,
      webhooks: createWebhookDoor({ settings, fetch, idSource }),
      slowRequestMs: settings.PROGRESS_SLOW_REQUEST_MS,
      images: imageDepsOf({
        ...{ settings, mediaStore, idSource, metrics, publicUrl, desk: engine.desk },
        imports: importing ? imports.pictures : undefined,
        onPicture,
      }),
      processingSteps: Object.entries(settings.PROGRESS_STEP_WEIGHTS).map(([name, weight]) => ({ name, weight })),
      limits: { maxVideosPerOwner: settings.PROGRESS_MAX_VIDEOS },
      gate: new SubmitGate({
        ...{ most: settings.PROGRESS_MAX_SUBMITS, least: 16, patienceMs: settings.PROGRESS_SLOW_REQUEST_MS / 3 },
      }),
    };
    const turn = new LoopTurn({ clock, atEnd: setImmediate });
    const api = createProgressApi(routes, log);
    const images = openImages(routes, api, log);
    const uploads = scope.use(openUploads({ routes, settings, sql, mediaStore, log, metrics }), 'uploads');
    const ready = Promise.all([signingKeys.ready, revoked.ready]).then(() => undefined);
    ready.catch(() => {}); // rejects when progress closes before it was ready; nobody has to wait for it

    return {
      name: 'progress',
      publicMounts: [
        honoMount('/api/v1/jobs', api.app),
        honoMount('/api/v1/videos', api.app),
        honoMount('/api/v1/compositions', api.app),
        honoMount('/api/v1/webhooks', api.app),
        uploads.mount,
        images.mount,
      ].map((mount) => shedEarly(mount, routes, turn)),
      internalMounts: [],
      readiness() {
        const reasons = [
          ...(signingKeys.isReady && revoked.isReady ? [] : ['the tables of tokens are still being read']),
          ...(engine.reachable ? [] : ['the database did not answer']),
        ];
        return { ready: reasons.length === 0, reasons };
      },
      ...{ leases: engine.leases, desk: engine.desk, store, ready },
      countLeaseCall: (reason) => metrics.leaseCalls.inc({ reason }),
      openApi: api.document,
      fetch: async (request) => images.fetch(request),
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };
  }
}
