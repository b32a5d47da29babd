/**
 * A service as a process of its own: log, metrics, event log, fact spool and listeners around it, until a signal. Every
 * main.ts is this and the adapters that only its service needs.
 *
 * A stop goes as in standalone: the listeners take nothing new, the service answers what it holds and closes, then the
 * listeners close, the adapters, the facts and the log.
 */
import { join } from 'node:path';
import { type Clock, systemClock } from '@millrace/clock';
import {
  type EventLog,
  eventLogMetrics,
  type FactWriter,
  openEventLog,
  openFactWriter,
  openOutboxEventLog,
  type TransactionalOutbox,
} from '@millrace/eventlog';
import {
  createHttpMetrics,
  type HttpLimits,
  type HttpMount,
  type HttpServer,
  healthMounts,
  openHttpServer,
  type Service,
} from '@millrace/http';
import { type IdSource, systemIdSource } from '@millrace/ids';
import { exitCode, runUntilSignal, Scope } from '@millrace/lifecycle';
import { type Logger, openLogger } from '@millrace/log';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { openSql, type Sql } from '@millrace/postgres';
import type { ProcessSettings } from './process-settings.ts';

export interface ServiceProcessOptions {
  /** `delivery`, `ingest`...: names the lines of the log and the spool's folder. */
  readonly name: string;
  readonly settings: ProcessSettings;
  /** Stable name of this instance: the source of its facts. */
  readonly instanceId: string;
  /** For tests; default: JSON lines on standard error. */
  readonly log?: Logger;
}

/** What a main is given to open its service with. */
export interface ServiceProcess {
  /** Closed after the service; for the adapters that only this service needs. */
  readonly scope: Scope;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  readonly instanceId: string;
  /** The event log by the settings: Kafka, or PostgreSQL. */
  openEventLog(): Promise<EventLog>;
  /** PostgreSQL of a service that owns tables, and the event log with its outbox there. */
  openDatabase(url: string): Promise<{ readonly sql: Sql; readonly eventLog: EventLog & TransactionalOutbox }>;
  /** The spool of a service without a database, in DATA_DIR/spool/<name>; it also says InstanceSeen. */
  openFacts(eventLog: EventLog): Promise<FactWriter>;
}

/** The service, which the process closes from here on, and where it is reached. */
export interface OpenedService {
  readonly service: Service;
  /** Port of the public listener; undefined: the service has none. */
  readonly httpPort?: number;
  /** Limits of the public listener. */
  readonly httpLimits?: Partial<HttpLimits>;
  /** Further routes for other services, which check the service token by themselves. */
  readonly internalMounts?: readonly HttpMount[];
  /** Told of the ports once everything listens. */
  readonly onListening?: (ports: { readonly internal: number; readonly http: number | undefined }) => void;
}

/** Opens everything around a service. Disposing drains it. */
export async function openServiceProcess(
  options: ServiceProcessOptions,
  open: (process: ServiceProcess) => Promise<OpenedService>,
): Promise<AsyncDisposable> {
  const { name, settings, instanceId } = options;
  const log = options.log ?? openLogger({ service: name, level: settings.LOG_LEVEL });
  const onError = (step: string, error: unknown) => log.warn('close-failed', { step, error });
  const scope = new Scope({ stepDeadlineMs: settings.DRAIN_DEADLINE_S * 1000, onError });
  try {
    const metrics = openMetricsRegistry({ processMetrics: true });
    const shared = { log, clock: systemClock, metrics: eventLogMetrics(metrics) };
    const opened = await open({
      scope,
      log,
      clock: systemClock,
      idSource: systemIdSource,
      metrics,
      instanceId,
      openEventLog: async () => scope.use(await openEventLog({ ...shared, settings, source: instanceId }), 'event-log'),
      async openDatabase(url) {
        const sql = openSql(url, { applicationName: name, maxConnections: 12 });
        scope.defer('sql', () => sql.end({ timeout: 5 }));
        const eventLog = await openOutboxEventLog({ ...shared, settings, source: instanceId, sql });
        return { sql, eventLog: scope.use(eventLog, 'event-log') };
      },
      async openFacts(eventLog) {
        const dir = join(settings.DATA_DIR, 'spool', name);
        return scope.use(await openFactWriter({ ...shared, dir, instanceId, service: name, eventLog }), 'facts');
      },
    });
    const { service, httpPort, httpLimits = {}, internalMounts = [] } = opened;
    const listeners: HttpServer[] = [];
    scope.defer('listeners', () => Promise.all(listeners.map((each) => each[Symbol.asyncDispose]())));
    scope.use(service, name);
    scope.defer('front-door', () => listeners.forEach((each) => void each.stopAccepting()));
    const http = { host: '::', log, metrics: createHttpMetrics(metrics) };
    const internal = { port: settings.INTERNAL_HTTP_PORT, portSetting: 'INTERNAL_HTTP_PORT' };
    const mounts = [
      ...healthMounts({ services: [service], registries: [metrics] }),
      ...service.internalMounts,
      ...internalMounts,
    ];
    const listen = async (server: Promise<HttpServer>): Promise<number> => {
      const opened = await server;
      listeners.push(opened);
      return opened.port;
    };
    const inside = await listen(openHttpServer({ ...http, ...internal, mounts }));
    const outside =
      httpPort === undefined
        ? undefined
        : await listen(openHttpServer({ ...http, port: httpPort, mounts: service.publicMounts, limits: httpLimits }));
    opened.onListening?.({ internal: inside, http: outside });
    return scope;
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

/** The life of a service's process: opens it, drains it at a signal and sets the exit code. Only mains call this. */
export async function runServiceProcess(
  options: ServiceProcessOptions,
  open: (process: ServiceProcess) => Promise<OpenedService>,
): Promise<void> {
  const log = options.log ?? openLogger({ service: options.name, level: options.settings.LOG_LEVEL });
  const code = await runUntilSignal(() => openServiceProcess({ ...options, log }, open), {
    drainDeadlineMs: options.settings.DRAIN_DEADLINE_S * 1000,
    onPhase: (phase, detail) =>
      phase === 'failed' ? log.error(phase, { error: detail }) : log.info(phase, { detail }),
  });
  process.exitCode = code;
  // What could not be closed in time may hold on to the process for ever.
  if (code === exitCode.drainOverran) process.exit();
}
