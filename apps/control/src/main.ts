/** Control as a process of its own: `tsx src/main.ts`, or `... admin-link` to print a fresh one-time admin link. */
import { systemClock } from '@millrace/clock';
import { openPostgresEventLog } from '@millrace/eventlog';
import { createHttpMetrics, healthMounts, openHttpServer } from '@millrace/http';
import { systemIdSource } from '@millrace/ids';
import { runUntilSignal, Scope } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { openSql } from '@millrace/postgres';
import { readControlSettings } from './config.ts';
import { createControlService } from './service.ts';

const settings = readControlSettings();
const log = openLogger({ service: 'control', level: settings.LOG_LEVEL });

async function open(): Promise<Scope> {
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const sql = openSql(settings.DATABASE_URL, { applicationName: 'control', maxConnections: 12 });
    scope.defer('sql', () => sql.end({ timeout: 5 }));
    const eventLog = scope.use(await openPostgresEventLog({ sql, source: 'control', log }), 'event-log');
    const deps = { settings, sql, eventLog, log, clock: systemClock, idSource: systemIdSource, metrics };
    const service = scope.use(await createControlService(deps), 'control');
    const http = { host: '::', log, metrics: createHttpMetrics(metrics) };
    const mounts = [...healthMounts({ services: [service], registries: [metrics] }), ...service.internalMounts];
    scope.use(
      await openHttpServer({ ...http, port: settings.INTERNAL_HTTP_PORT, mounts, portSetting: 'INTERNAL_HTTP_PORT' }),
      'internal-http',
    );
    scope.use(await openHttpServer({ ...http, port: settings.HTTP_PORT, mounts: service.publicMounts }), 'http');
    const link = process.argv.includes('admin-link') ? await service.mintAdminLink() : service.firstAdminLink;
    if (link) process.stdout.write(`sign in as the admin (once, within an hour): ${link.url}\n`);
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
