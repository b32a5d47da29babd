/** Ingest as a process of its own: event log on PostgreSQL, facts through a spool, workers parked over HTTP. */
import { join } from 'node:path';
import { systemClock as clock } from '@millrace/clock';
import { eventLogMetrics, openFactWriter, openPostgresEventLog } from '@millrace/eventlog';
import { openSourceClaimServer, sourceClaimMetrics } from '@millrace/handover';
import { createHttpMetrics, healthMounts, openHttpServer } from '@millrace/http';
import { systemIdSource as idSource } from '@millrace/ids';
import { runUntilSignal, Scope } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { readIngestSettings } from './config.ts';
import { createIngestService } from './service.ts';

const settings = readIngestSettings();
const log = openLogger({ service: 'ingest', level: settings.LOG_LEVEL });
const instanceId = settings.INGEST_INSTANCE_ID;

async function open(): Promise<Scope> {
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const shared = { log, clock, metrics: eventLogMetrics(metrics) };
    const url = settings.DATABASE_URL;
    const eventLog = scope.use(await openPostgresEventLog({ ...shared, url, source: instanceId }), 'event-log');
    const spool = { dir: join(settings.DATA_DIR, 'spool', 'ingest'), instanceId, service: 'ingest' };
    const facts = scope.use(await openFactWriter({ ...shared, ...spool, eventLog }), 'facts');
    const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
    const claims = { serviceToken, clock, log, onEvent: sourceClaimMetrics(metrics) };
    const workers = scope.use(openSourceClaimServer(claims), 'source-claims');
    // The service closes before its listeners: its workers hear how each source ended.
    const listeners = scope.use(new Scope(), 'listeners');
    const deps = { settings, eventLog, facts, workers, log, clock, idSource, metrics, instanceId };
    const service = scope.use(await createIngestService({ ...deps, internalMounts: [workers.mount] }), 'ingest');
    const http = { host: '::', log, metrics: createHttpMetrics(metrics) };
    const health = healthMounts({ services: [service], registries: [metrics] });
    const internal = { port: settings.INTERNAL_HTTP_PORT, portSetting: 'INTERNAL_HTTP_PORT' };
    listeners.use(
      await openHttpServer({ ...http, ...internal, mounts: [...health, ...service.internalMounts] }),
      'http',
    );
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
