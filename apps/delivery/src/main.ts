/** Delivery as a process of its own: players on one listener, writers, metrics and health on another. */
import { join } from 'node:path';
import { systemClock as clock } from '@millrace/clock';
import { eventLogMetrics, openFactWriter, openPostgresEventLog } from '@millrace/eventlog';
import { openWindowWriterServer, windowWriteMetrics } from '@millrace/handover';
import { createHttpMetrics, healthMounts, openHttpServer } from '@millrace/http';
import { systemIdSource as idSource } from '@millrace/ids';
import { runUntilSignal, Scope } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { openFolderStore } from '@millrace/media-store';
import { openMetricsRegistry } from '@millrace/metrics';
import { readDeliverySettings } from './config.ts';
import { createDeliveryService } from './service.ts';

const settings = readDeliverySettings();
const log = openLogger({ service: 'delivery', level: settings.LOG_LEVEL });
const instanceId = settings.DELIVERY_INSTANCE_ID;

async function open(): Promise<Scope> {
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const shared = { log, clock, metrics: eventLogMetrics(metrics) };
    const url = settings.DATABASE_URL;
    const eventLog = scope.use(await openPostgresEventLog({ ...shared, url, source: instanceId }), 'event-log');
    const spool = { dir: join(settings.DATA_DIR, 'spool', 'delivery'), instanceId, service: 'delivery' };
    const facts = scope.use(await openFactWriter({ ...shared, ...spool, eventLog }), 'facts');
    const mediaStore = await openFolderStore({ folder: join(settings.DATA_DIR, 'media') });
    const deps = { settings, eventLog, facts, mediaStore, log, clock, idSource, metrics };
    // The service closes before its listeners: it answers the requests it holds, so that they can drain.
    const listeners = scope.use(new Scope(), 'listeners');
    const service = scope.use(await createDeliveryService(deps), 'delivery');
    const writerServer = openWindowWriterServer({
      writer: service.writer,
      serviceToken: settings.MILLRACE_SERVICE_TOKEN,
      log,
      onEvent: windowWriteMetrics(metrics),
    });
    const http = { host: '::', log, metrics: createHttpMetrics(metrics) };
    const health = healthMounts({ services: [service], registries: [metrics] });
    const internal = { port: settings.INTERNAL_HTTP_PORT, portSetting: 'INTERNAL_HTTP_PORT' };
    const mounts = [...health, ...service.internalMounts, writerServer.mount];
    listeners.use(await openHttpServer({ ...http, ...internal, mounts }), 'internal-http');
    listeners.use(await openHttpServer({ ...http, port: settings.HTTP_PORT, mounts: service.publicMounts }), 'http');
    return scope;
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

process.exitCode = await runUntilSignal(open, {
  drainDeadlineMs: 15_000,
  onPhase: (phase, detail) => (phase === 'failed' ? log.error(phase, { error: detail }) : log.info(phase, { detail })),
});
