/** Transcode as a process of its own: parks at the ingests in TRANSCODE_INGEST_URLS and writes to TRANSCODE_DELIVERY_URL. */
import { join } from 'node:path';
import { systemClock as clock } from '@millrace/clock';
import { eventLogMetrics, openFactWriter, openPostgresEventLog } from '@millrace/eventlog';
import { openSourceDeskClient, openWindowWriterClient } from '@millrace/handover';
import { createHttpMetrics, healthMounts, openHttpServer } from '@millrace/http';
import { runUntilSignal, Scope } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { readTranscodeSettings } from './config.ts';
import { createTranscodeService } from './service.ts';

const settings = readTranscodeSettings();
const log = openLogger({ service: 'transcode', level: settings.LOG_LEVEL });
const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
const workerId = settings.TRANSCODE_WORKER_ID;

async function open(): Promise<Scope> {
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const shared = { log, clock, metrics: eventLogMetrics(metrics) };
    const url = settings.DATABASE_URL;
    const eventLog = scope.use(await openPostgresEventLog({ ...shared, url, source: 'transcode' }), 'event-log');
    const spool = { dir: join(settings.DATA_DIR, 'spool', 'transcode'), instanceId: workerId, service: 'transcode' };
    const facts = scope.use(await openFactWriter({ ...shared, ...spool, eventLog }), 'facts');
    const delivery = { baseUrl: settings.TRANSCODE_DELIVERY_URL, serviceToken, clock, log };
    const writer = scope.use(openWindowWriterClient(delivery), 'writer');
    const desks = settings.TRANSCODE_INGEST_URLS.map((baseUrl) =>
      scope.use(openSourceDeskClient({ baseUrl, serviceToken, clock, log }), `desk ${baseUrl}`),
    );
    const deps = { settings, desks, writer, facts, log, clock, metrics, workerId };
    const service = scope.use(await createTranscodeService(deps), 'transcode');
    scope.use(
      await openHttpServer({
        ...{ host: '::', port: settings.INTERNAL_HTTP_PORT, portSetting: 'INTERNAL_HTTP_PORT', log },
        mounts: healthMounts({ services: [service], registries: [metrics] }),
        metrics: createHttpMetrics(metrics),
      }),
      'internal-http',
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
