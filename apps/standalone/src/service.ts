/**
 * Every service in one process on embedded engines. Nothing is decided here: adapters are opened, handed to the services and
 * closed in reverse order, so a stop drains the way media flows: publishers first, then packaging and the tasks of media jobs, which
 * workers give back, then viewers, progress, the log and the database.
 */
import { join } from 'node:path';
import { createAnalyticsService } from '@millrace/analytics/service';
import { type ConfiguredClickHouse, clickhouseMetrics, openConfiguredClickHouse } from '@millrace/clickhouse';
import { type Clock, systemClock } from '@millrace/clock';
import { type Addresses, addressesOf, type ControlService, createControlService } from '@millrace/control/service';
import { createDeliveryService } from '@millrace/delivery/service';
import { eventLogMetrics, openFactWriter, openPostgresEventLog } from '@millrace/eventlog';
import { createLocalSourceDesk } from '@millrace/handover';
import {
  assertListenable,
  createHttpMetrics,
  type HttpServer,
  healthMounts,
  openHttpServer,
  type Service,
  staticMount,
} from '@millrace/http';
import { createHubService } from '@millrace/hub/service';
import { systemIdSource } from '@millrace/ids';
import { createIngestService } from '@millrace/ingest/service';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { mediaStoreMetrics, openMediaStore } from '@millrace/media-store';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { openEmbeddedPostgres, openSql } from '@millrace/postgres';
import { createProgressService } from '@millrace/progress/service';
import { createTranscodeService } from '@millrace/transcode/service';
import type { StandaloneSettings } from './config.ts';
import { apiDocumentMount } from './inbound/api-document.ts';
import { openOperatorSocket } from './inbound/operator-socket.ts';

export interface Standalone extends AsyncDisposable {
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly rtmpsPort: number | undefined;
  readonly publicUrl: string;
  readonly rtmpUrl: string;
  /** The one-time link of the first admin, until somebody has signed in. */
  readonly firstAdminLink: string | undefined;
}

/** Opens everything, in the order that media needs it. Rejects with a text for the user when something cannot run. */
export async function openStandalone(
  settings: StandaloneSettings,
  logger: (service: string) => Logger,
): Promise<Standalone> {
  const log = logger('standalone');
  const clock: Clock = systemClock;
  const idSource = systemIdSource;
  const scope = new Scope({
    stepDeadlineMs: settings.DRAIN_DEADLINE_S * 1000,
    onError: (step, error) => log.error('close-failed', { step, error }),
  });
  try {
    return await open();
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function open(): Promise<Standalone> {
    // Filled as things open; what was declared before them reads it.
    const opened: { control?: ControlService; front?: HttpServer } = {};
    const socket = await openOperatorSocket(settings.DATA_DIR, {
      'admin-link': async () => {
        if (opened.control === undefined) throw new Error('Millrace is still starting: try again in a moment');
        return { url: (await opened.control.mintAdminLink()).url };
      },
    });
    if (!socket.ok) throw new Error(socket.error.message);
    scope.use(socket.value, 'operator-socket');
    // they open last, and who starts Millrace should not wait for databases to hear that a port is taken
    await assertListenable(settings.HTTP_HOST, settings.HTTP_PORT, 'HTTP_PORT');
    await assertListenable(settings.RTMP_HOST, settings.RTMP_PORT, 'RTMP_PORT');

    const registry = openMetricsRegistry({ processMetrics: true });
    const engine = startClickHouse(registry);
    const url = settings.DATABASE_URL ?? (await openDatabase());
    const sql = openSql(url, { applicationName: 'millrace', maxConnections: 20 });
    scope.defer('sql', () => sql.end({ timeout: 3 }));
    const logMetrics = eventLogMetrics(registry);
    const eventLog = scope.use(
      await openPostgresEventLog({
        url,
        source: 'standalone',
        log: logger('eventlog'),
        clock,
        metrics: logMetrics,
        wake: settings.DATABASE_URL === undefined ? 'memory' : 'notify',
      }),
      'event-log',
    );
    const facts = (service: string) =>
      openFactWriter({
        ...{ dir: join(settings.DATA_DIR, 'spool', service), instanceId: `${service}-1`, service },
        ...{ eventLog, log: logger(service), clock, metrics: logMetrics },
      });

    let addresses = addressesFor(settings, settings.HTTP_PORT, settings.RTMP_PORT);
    const services: Service[] = [];
    // The front stops accepting before the services close, and closes after them: whoever waits gets delivery's answer.
    scope.defer('front', () => opened.front?.[Symbol.asyncDispose]());
    const each = (service: string) => {
      const metrics = openMetricsRegistry({ processMetrics: false });
      registries.push(metrics);
      return { log: logger(service), clock, idSource, metrics };
    };
    const registries = [registry];

    const control = (opened.control = scope.use(
      await createControlService({
        ...each('control'),
        settings: { ...settings, PUBLIC_URL: addresses.publicUrl },
        ...{ sql, eventLog, addresses: () => addresses, instanceId: 'control-1' },
      }),
      'control',
    ));
    services.push(control);
    const storeDeps = { settings, clock, log: logger('media-store'), metrics: mediaStoreMetrics(registry) };
    const mediaStore = scope.use(await openMediaStore(storeDeps), 'media-store');
    const progress = scope.use(
      await createProgressService({
        ...each('progress'),
        settings: { ...settings, PUBLIC_URL: addresses.publicUrl },
        // synced, unlike the live window: bytes of an upload that a client was told are here may be nowhere else
        mediaStore: scope.use(await openMediaStore({ ...storeDeps, fsync: true }), 'media-store-of-progress'),
        ...{ sql, eventLog, instanceId: 'progress-1', publicUrl: () => addresses.publicUrl },
        wake: settings.DATABASE_URL === undefined ? 'memory' : 'notify',
      }),
      'progress',
    );
    services.push(progress);
    const delivery = scope.use(
      await createDeliveryService({
        ...each('delivery'),
        settings,
        eventLog,
        facts: scope.use(await facts('delivery'), 'delivery-facts'),
        mediaStore,
        journalDir: join(settings.DATA_DIR, 'viewers'),
      }),
      'delivery',
    );
    services.push(delivery);
    const { desk, workers } = createLocalSourceDesk({ clock, log: logger('handover') });
    const transcode = scope.use(
      await createTranscodeService({
        ...each('transcode'),
        settings,
        desks: [desk],
        writer: delivery.writer,
        facts: scope.use(await facts('transcode'), 'transcode-facts'),
        workerId: 'transcode-1',
        jobs: { leases: progress.leases, mediaStore, dataDir: settings.DATA_DIR },
      }),
      'transcode',
    );
    services.push(transcode);
    const hub = await createHubService({ ...each('hub'), settings, eventLog, instanceId: 'hub-1' });
    services.push(scope.use(hub, 'hub'));
    const analytics = await createAnalyticsService({
      ...each('analytics'),
      ...{ settings, eventLog, clickhouse: await engine, instanceId: 'analytics-1' },
    });
    services.push(scope.use(analytics, 'analytics'));
    const front = (opened.front = await openFront());
    scope.defer('front-door', () => front.stopAccepting());
    const ingest = scope.use(
      await createIngestService({
        ...each('ingest'),
        ...{ settings, eventLog, workers, instanceId: 'ingest-1' },
        facts: scope.use(await facts('ingest'), 'ingest-facts'),
      }),
      'ingest',
    );
    services.push(ingest);
    addresses = addressesFor(settings, front.port, ingest.rtmpPort, ingest.rtmpsPort);
    const firstLink = control.firstAdminLink?.url;
    return {
      httpPort: front.port,
      rtmpPort: ingest.rtmpPort,
      rtmpsPort: ingest.rtmpsPort,
      publicUrl: addresses.publicUrl,
      rtmpUrl: addresses.rtmpUrl,
      firstAdminLink: firstLink === undefined ? undefined : onOrigin(firstLink, addresses.publicUrl),
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };

    async function openFront(): Promise<HttpServer> {
      const studio = await staticMount({
        dir: new URL('../../studio/dist', import.meta.url).pathname,
        spaFallback: 'index.html',
      });
      return openHttpServer({
        host: settings.HTTP_HOST,
        port: settings.HTTP_PORT,
        mounts: [
          ...services.flatMap((service) => service.publicMounts),
          apiDocumentMount([control.openApi, progress.openApi, analytics.openApi]),
          ...healthMounts({ services, registries }),
          studio,
        ],
        log: logger('http'),
        metrics: createHttpMetrics(registry),
      });
    }
  }

  /** The engine starts beside everything else: it needs a second or two, and only analytics waits for it. */
  function startClickHouse(registry: MetricsRegistry): Promise<ConfiguredClickHouse> {
    const engine = openConfiguredClickHouse(settings, {
      ...{ dataDir: settings.DATA_DIR, log: logger('clickhouse'), clock, metrics: clickhouseMetrics(registry) },
    });
    scope.defer('clickhouse', async () => {
      const started = await engine.catch(() => undefined); // whoever waits for it says why it did not start
      await started?.[Symbol.asyncDispose]();
    });
    engine.catch(() => {});
    return engine;
  }

  async function openDatabase(): Promise<string> {
    const postgres = await openEmbeddedPostgres({
      dataDir: join(settings.DATA_DIR, 'postgres'),
      log: logger('postgres'),
      clock,
    });
    return scope.use(postgres, 'postgres').connectionUrl;
  }
}

function addressesFor(settings: StandaloneSettings, httpPort: number, rtmpPort: number, rtmpsPort?: number): Addresses {
  const publicUrl = settings.PUBLIC_URL ?? `http://localhost${httpPort === 80 ? '' : `:${httpPort}`}`;
  return addressesOf({ publicUrl, rtmpHost: settings.CONTROL_RTMP_HOST, rtmpPort, rtmpsPort });
}

/** The link was minted before a port of 0 was known: the same path and fragment on the origin that is. */
function onOrigin(link: string, publicUrl: string): string {
  const { pathname, hash } = new URL(link);
  return `${publicUrl}${pathname}${hash}`;
}
