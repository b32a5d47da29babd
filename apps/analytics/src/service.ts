/** Composition of analytics: schema, the sink that fills it, what is live from the log, and the API over both. */
import { createTokenVerifier } from '@millrace/auth';
import { type ConfiguredClickHouse, openClickHouse, runClickHouseMigrations } from '@millrace/clickhouse';
import { type Clock, sleep } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic, streamsTopic } from '@millrace/events';
import { honoMount, type OpenApiDocument, type Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Background, backoffMs, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MetricsRegistry } from '@millrace/metrics';
import type { AnalyticsSettings } from './config.ts';
import { LiveBoard } from './core/live-board.ts';
import { ExportSlots } from './inbound/export-slots.ts';
import { type FactSink, type FactSinkMetrics, openFactSink } from './inbound/fact-sink.ts';
import { feedLiveBoard } from './inbound/live-feed.ts';
import { createAnalyticsApi } from './inbound/openapi.ts';
import { createAnalyticsMetrics, createFactSinkMetrics, registerAnalyticsGauges } from './metrics.ts';
import { createClickHouseWarehouse } from './outbound/clickhouse-warehouse.ts';
import { createFactInsert } from './outbound/fact-insert.ts';
import { setRetention } from './outbound/retention.ts';

export interface AnalyticsDeps {
  readonly settings: AnalyticsSettings;
  /** Stays its opener's. */
  readonly clickhouse: Pick<ConfiguredClickHouse, 'client' | 'database' | 'url'>;
  readonly eventLog: EventLog;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  readonly instanceId: string;
}

export interface AnalyticsService extends Service {
  readonly openApi: OpenApiDocument;
  /** Resolves once what is live is known and tokens can be verified. */
  readonly ready: Promise<void>;
  /** Resolves once ClickHouse has the schema and facts go in. */
  readonly filling: Promise<void>;
  /** Answers an API request without a listener. */
  fetch(request: Request): Promise<Response>;
}

const megabyte = 1024 * 1024;

/** Opens analytics. It starts while ClickHouse is away: facts wait in the log, what is live is answered. */
export async function createAnalyticsService(deps: AnalyticsDeps): Promise<AnalyticsService> {
  const { settings, clickhouse, eventLog, log, clock, idSource } = deps;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    return await open();
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function open(): Promise<AnalyticsService> {
    const metrics = createAnalyticsMetrics(deps.metrics);
    const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing-keys');
    const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked-tokens');
    const streams = scope.use(eventLog.table(streamsTopic), 'streams');
    const verifier = createTokenVerifier({ signingKeys, revoked, clock });
    const board = new LiveBoard();
    const feed = await feedLiveBoard({ eventLog, clock, board }, scope);
    const sinkMetrics = createFactSinkMetrics(deps.metrics);
    let sink: FactSink | undefined;
    registerAnalyticsGauges(deps.metrics, {
      liveStreams: () => [...board.live()].length,
      liveViewers: () => {
        const nowMs = clock.monotonicMs();
        return [...board.live()].reduce((sum, { streamId }) => sum + board.viewers(streamId, nowMs), 0);
      },
      bufferedFacts: () => sink?.buffered ?? 0,
      stalled: () => (sink === undefined || sink.trouble !== undefined ? 1 : 0),
    });
    const filling = new Promise<void>((resolve) => {
      const fill = new Background(
        async (signal) => {
          sink = await untilFilled(sinkMetrics, signal);
          if (sink !== undefined) resolve();
        },
        (error) => log.error('loop-crashed', { loop: 'fill', error }),
      );
      scope.defer('sink', async () => {
        await fill[Symbol.asyncDispose]();
        await sink?.[Symbol.asyncDispose]();
      });
    });

    const slots = new ExportSlots(settings.ANALYTICS_MAX_EXPORTS, (count) => metrics.exports.set(count));
    scope.defer('exports', () => slots.stop());
    const isReady = () => feed.isReady() && streams.isReady;
    const { url, database } = clickhouse;
    // each question has a time of its own, within which its answer may be silent
    const questions = await openClickHouse({ url, database, log, requestTimeoutMs: 0 });
    scope.defer('questions', () => questions.close());
    const warehouse = createClickHouseWarehouse({ client: questions, log, metrics, clock });
    const api = createAnalyticsApi(
      {
        ...{ warehouse, board, isReady, streams, verifier, clock, idSource, metrics, database: clickhouse.database },
        limits: {
          maxSeconds: settings.ANALYTICS_QUERY_SECONDS,
          maxMemoryBytes: settings.ANALYTICS_QUERY_MEMORY_MB * megabyte,
          maxRows: 1_000_000,
          sqlRows: settings.ANALYTICS_SQL_MAX_ROWS,
          exportRows: settings.ANALYTICS_EXPORT_MAX_ROWS,
          exports: settings.ANALYTICS_MAX_EXPORTS,
        },
      },
      slots,
      log,
    );
    const ready = Promise.all([feed.ready, streams.ready, signingKeys.ready, revoked.ready]).then(() => undefined);
    ready.catch(() => {}); // rejects when analytics closes before it was ready; nobody has to wait for it

    return {
      name: 'analytics',
      publicMounts: [honoMount('/api/v1/analytics', api.app), honoMount('/api/v1/streams/{id}/metrics', api.app)],
      internalMounts: [],
      readiness() {
        const reasons = [
          ...(isReady() ? [] : ['what is live is still being read from the log']),
          ...(signingKeys.isReady && revoked.isReady ? [] : ['the tables of tokens are still being read']),
        ];
        return { ready: reasons.length === 0, reasons };
      },
      openApi: api.document,
      ...{ ready, filling },
      fetch: async (request) => api.app.fetch(request),
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };
  }

  /** Brings the schema up to date and starts the sink, however long ClickHouse is away. */
  async function untilFilled(metrics: FactSinkMetrics, signal: AbortSignal): Promise<FactSink | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const { client, database } = clickhouse;
        const dir = new URL('../migrations', import.meta.url).pathname;
        const applied = await runClickHouseMigrations({ client, database, dir });
        const days = { raw: settings.ANALYTICS_RAW_DAYS, folded: settings.ANALYTICS_SESSION_DAYS };
        const changed = await setRetention(client, days);
        if (applied.length + changed.length > 0) log.info('clickhouse-prepared', { applied, changed });
        return await openFactSink({ eventLog, insert: createFactInsert(client), log, clock, metrics });
      } catch (error) {
        log.warn('clickhouse-not-prepared', { attempt, error });
        await sleep(clock, backoffMs(attempt, 200, 10_000, Math.random()), signal);
      }
    }
    return undefined;
  }
}
