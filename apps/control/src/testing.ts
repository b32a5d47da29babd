/** Control on a real database, for tests: driven through `fetch`, without a listener. */
import type { Role } from '@millrace/auth';
import { type Clock, systemClock } from '@millrace/clock';
import { type EventLog, type LogRecord, openPostgresEventLog, type PostgresEventLog } from '@millrace/eventlog';
import type { Topic } from '@millrace/events';
import { systemIdSource } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import type { ControlSettings } from './config.ts';
import { type ControlService, createControlService } from './service.ts';

const testSettings: ControlSettings = {
  PUBLIC_URL: 'http://stream.example:8080',
  CONTROL_RTMP_HOST: undefined,
  RTMP_PORT: 1935,
  RTMPS_PORT: undefined,
  CONTROL_KEY_SECRET: undefined,
  CONTROL_MAX_STREAMS_PER_OWNER: 1000,
  CONTROL_MAX_TOKENS_PER_OWNER: 200,
  CONTROL_SIGN_IN_HOURS: 1,
};

/** Records of a topic as they come. */
export interface Collected<T> extends AsyncDisposable {
  readonly records: readonly LogRecord<T>[];
  /** The first record, of those that were and those that come, which fits. */
  until(fits: (record: LogRecord<T>) => boolean): Promise<LogRecord<T>>;
}

/** Collects everything that is and comes in `topic`. */
export async function collect<T>(eventLog: EventLog, topic: Topic<T>): Promise<Collected<T>> {
  const records: LogRecord<T>[] = [];
  const waiting = new Set<(record: LogRecord<T>) => void>();
  const follower = await eventLog.follow({
    topic,
    from: 'earliest',
    onRecord(record) {
      records.push(record);
      for (const look of waiting) look(record);
    },
  });
  return {
    records,
    until: (fits) =>
      new Promise((resolve) => {
        const found = records.find(fits);
        if (found !== undefined) return resolve(found);
        const look = (record: LogRecord<T>) => {
          if (!fits(record)) return;
          waiting.delete(look);
          resolve(record);
        };
        return waiting.add(look);
      }),
    [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose](),
  };
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface TestControl extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly eventLog: PostgresEventLog;
  readonly metrics: MetricsRegistry;
  service: ControlService;
  /** A call of the API; `body` is sent as JSON. */
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer<T>>;
  /** Uses the first admin link up; gives the admin's token. */
  signIn(): Promise<string>;
  /** A token of a fresh owner with `role`. */
  tokenOf(role: Role, admin: string): Promise<{ token: string; ownerId: string; id: string }>;
  /** Closes the service and opens it again on the same database. */
  restart(): Promise<void>;
}

/** Opens a control service on an empty database. */
export async function openTestControl(
  options: { readonly clock?: Clock; readonly settings?: Partial<ControlSettings> } = {},
): Promise<TestControl> {
  const database = await createTestDatabase();
  const eventLog = await openPostgresEventLog({
    sql: database.sql,
    source: 'control',
    log: silentLogger,
    wake: 'memory',
  });
  let metrics = openMetricsRegistry({ processMetrics: false });
  const settings = { ...testSettings, ...options.settings };
  const open = () =>
    createControlService({
      ...{ settings, eventLog, metrics, sql: database.sql, log: silentLogger },
      clock: options.clock ?? systemClock,
      idSource: systemIdSource,
    });
  const control: TestControl = {
    database,
    eventLog,
    get metrics() {
      return metrics;
    },
    service: await open(),
    async call<T>(method: string, path: string, given: Parameters<TestControl['call']>[2] = {}) {
      const response = await control.service.fetch(
        new Request(`http://test${path}`, {
          method,
          headers: {
            ...(given.token === undefined ? {} : { authorization: `Bearer ${given.token}` }),
            ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
            ...given.headers,
          },
          ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
        }),
      );
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? undefined : JSON.parse(text)) as T,
      };
    },
    async signIn() {
      const link = control.service.firstAdminLink ?? (await control.service.mintAdminLink());
      const code = link.url.split('#code=')[1];
      const { body } = await control.call<{ token: string }>('POST', '/api/v1/sign-ins', { body: { code } });
      return body.token;
    },
    async tokenOf(role, admin) {
      const body = { label: role, role, owner_id: 'new' };
      const made = await control.call<{ token: string; owner_id: string; id: string }>('POST', '/api/v1/tokens', {
        token: admin,
        body,
      });
      return { token: made.body.token, ownerId: made.body.owner_id, id: made.body.id };
    },
    async restart() {
      await control.service[Symbol.asyncDispose]();
      metrics = openMetricsRegistry({ processMetrics: false });
      control.service = await open();
      await control.service.ready;
    },
    async [Symbol.asyncDispose]() {
      await control.service[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
  await control.service.ready;
  return control;
}
