/** The hub as a process of its own: clients on one listener, metrics and health on another. */
import { join } from 'node:path';
import { systemClock as clock } from '@millrace/clock';
import { eventLogMetrics, openEventLog, openFactWriter } from '@millrace/eventlog';
import { createHttpMetrics, healthMounts, openHttpServer } from '@millrace/http';
import { systemIdSource as idSource } from '@millrace/ids';
import { runUntilSignal, Scope } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { readHubSettings } from './config.ts';
import { createHubService } from './service.ts';

const settings = readHubSettings();
const log = openLogger({ service: 'hub', level: settings.LOG_LEVEL });
const instanceId = settings.HUB_INSTANCE_ID;

async function open(): Promise<Scope> {
  const scope = new Scope({
    stepDeadlineMs: 10_000 + settings.HUB_DRAIN_SPREAD_MS,
    onError: (step, error) => log.warn('close-failed', { step, error }),
  });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const shared = { log, clock, metrics: eventLogMetrics(metrics) };
    const eventLog = scope.use(await openEventLog({ ...shared, settings, source: instanceId }), 'event-log');
    // It says that this instance is alive, by which the hub also tells an outage of the log from silence.
    const spool = { dir: join(settings.DATA_DIR, 'spool', 'hub'), instanceId, service: 'hub' };
    scope.use(await openFactWriter({ ...shared, ...spool, eventLog }), 'facts');
    const deps = { settings, eventLog, log, clock, idSource, metrics, instanceId };
    // The service closes before its listeners: it sends its clients away by itself.
    const listeners = scope.use(new Scope(), 'listeners');
    const service = scope.use(await createHubService(deps), 'hub');
    const http = { host: '::', log, metrics: createHttpMetrics(metrics) };
    const mounts = healthMounts({ services: [service], registries: [metrics] });
    const internal = { port: settings.INTERNAL_HTTP_PORT, portSetting: 'INTERNAL_HTTP_PORT' };
    listeners.use(await openHttpServer({ ...http, ...internal, mounts }), 'internal-http');
    const limits = { maxConnections: settings.HUB_MAX_SOCKETS + 1_000 };
    const port = settings.HTTP_PORT;
    const front = listeners.use(await openHttpServer({ ...http, port, mounts: service.publicMounts, limits }), 'http');
    scope.defer('front door', () => front.stopAccepting());
    return scope;
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

process.exitCode = await runUntilSignal(open, {
  drainDeadlineMs: 20_000,
  onPhase: (phase, detail) => (phase === 'failed' ? log.error(phase, { error: detail }) : log.info(phase, { detail })),
});
