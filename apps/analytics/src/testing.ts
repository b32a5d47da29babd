/** Analytics on a real ClickHouse engine and a log in memory, for tests: driven through `fetch`, without a listener. */
import { createTokenSigner, generateSigningKey, type Role, type TokenSigner } from '@millrace/auth';
import { createTestClickHouse, type TestClickHouse } from '@millrace/clickhouse/testing';
import { type Clock, systemClock } from '@millrace/clock';
import { type EventLog, record } from '@millrace/eventlog';
import { openMemoryEventLog } from '@millrace/eventlog/testing';
import {
  type InstanceSeen,
  instancesTopic,
  type StreamDefinition,
  signingKeysTopic,
  streamsTopic,
} from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import type { AnalyticsSettings } from './config.ts';
import { type AnalyticsService, createAnalyticsService } from './service.ts';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

export interface TestAnalytics extends AsyncDisposable {
  readonly service: AnalyticsService;
  readonly warehouse: TestClickHouse;
  readonly eventLog: EventLog;
  readonly metrics: MetricsRegistry;
  readonly signer: TokenSigner;
  tokenOf(role: Role, ownerId: string): Promise<string>;
  call<T = Record<string, unknown>>(method: string, path: string, token?: string, body?: unknown): Promise<Answer<T>>;
  /** Publishes a definition; gives the ids. */
  addStream(ownerId: string, title: string): Promise<StreamDefinition>;
  /** Says that a delivery instance lives. */
  instanceLives(instanceId: string, incarnation?: number): Promise<void>;
  /** Resolves once `sql`, which gives one number, gives at least `least`. */
  untilCount(sql: string, least: number): Promise<void>;
}

const settings: AnalyticsSettings = {
  CLICKHOUSE_URL: undefined,
  CLICKHOUSE_DATABASE: 'unused',
  CLICKHOUSE_MEMORY_MB: 1024,
  ANALYTICS_RAW_DAYS: 3_650,
  ANALYTICS_SESSION_DAYS: 3_650,
  ANALYTICS_QUERY_SECONDS: 20,
  ANALYTICS_QUERY_MEMORY_MB: 400,
  ANALYTICS_SQL_MAX_ROWS: 100,
  ANALYTICS_EXPORT_MAX_ROWS: 200_000,
  ANALYTICS_MAX_EXPORTS: 2,
};

/** Opens analytics on an empty database; `filled`: waits until the schema is there. */
export async function openTestAnalytics(
  options: { readonly clock?: Clock; readonly settings?: Partial<AnalyticsSettings>; readonly filled?: boolean } = {},
): Promise<TestAnalytics> {
  const warehouse = await createTestClickHouse();
  const clock = options.clock ?? systemClock;
  const eventLog = openMemoryEventLog({ clock: systemClock });
  const metrics = openMetricsRegistry({ processMetrics: false });
  const pair = await generateSigningKey();
  await eventLog.publish([
    record(signingKeysTopic, { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: clock.nowMs() }),
  ]);
  const signer = await createTokenSigner({ ...pair, clock, idSource: systemIdSource });
  const service = await createAnalyticsService({
    ...{ settings: { ...settings, ...options.settings }, clickhouse: warehouse, eventLog, log: silentLogger, clock },
    ...{ idSource: systemIdSource, metrics, instanceId: 'analytics-1' },
  });
  await service.ready;
  if (options.filled !== false) await service.filling;
  return {
    ...{ service, warehouse, eventLog, metrics, signer },
    tokenOf: async (role, ownerId) => (await signer.issueApiToken({ ownerId, role, expiresInS: 3_600 })).token,
    async call<T>(method: string, path: string, token?: string, body?: unknown) {
      const response = await service.fetch(
        new Request(`http://test${path}`, {
          method,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      );
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: (isJson ? JSON.parse(text) : undefined) as T,
      };
    },
    async addStream(ownerId, title) {
      const definition: StreamDefinition = {
        ...{
          stream_id: newId('str', systemIdSource),
          playback_id: newId('play', systemIdSource),
          owner_id: ownerId,
          title,
        },
        ...{ visibility: 'public', latency_mode: 'low', created_at_ms: clock.nowMs(), updated_at_ms: clock.nowMs() },
      };
      await eventLog.publish([record(streamsTopic, definition)]);
      return definition;
    },
    async instanceLives(instanceId, incarnation = 1) {
      const seen: InstanceSeen = { instance_id: instanceId, incarnation, service: 'delivery', at_ms: clock.nowMs() };
      await eventLog.publish([record(instancesTopic, seen)]);
    },
    async untilCount(sql, least) {
      for (;;) {
        const result = await warehouse.client.query({ query: sql, format: 'JSONCompactEachRow' });
        const [row] = await result.json<[number | string]>();
        if (Number(row?.[0]) >= least) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
      await warehouse[Symbol.asyncDispose]();
    },
  };
}
