/** Progress on a real database, for tests: driven through `fetch`, `desk` and `leases`, without a listener. */
import { createTokenSigner, generateSigningKey, type Role } from '@millrace/auth';
import { type Clock, systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { type LogRecord, openPostgresEventLog, type PostgresEventLog, record } from '@millrace/eventlog';
import { type JobFact, jobsTopic, signingKeysTopic, type Topic } from '@millrace/events';
import { type IdSource, newId, systemIdSource } from '@millrace/ids';
import { type Logger, silentLogger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import { type MemoryStore, openMemoryStore } from '@millrace/media-store/testing';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { openSql } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { expectOk } from '@millrace/result';
import { type ProgressSettings, progressSettings } from './config.ts';
import type { JobType } from './core/job-types.ts';
import { createProgressService, type ProgressService } from './service.ts';
import { published } from './testing/published.ts';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface TestProgressOptions {
  readonly clock?: Clock;
  readonly idSource?: IdSource;
  readonly settings?: Partial<ProgressSettings>;
  /** Default: a store in memory. */
  readonly mediaStore?: MediaStore;
  /** Default: those of progress. */
  readonly jobTypes?: readonly JobType[];
  readonly log?: Logger;
  /** Default `memory`. */
  readonly wake?: 'memory' | 'notify';
}

export interface TestProgress extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly eventLog: PostgresEventLog;
  readonly mediaStore: MediaStore;
  readonly metrics: MetricsRegistry;
  service: ProgressService;
  /** A call of the API; `body` is sent as JSON. */
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer<T>>;
  /** An API token; of a fresh owner when none is named. */
  tokenOf(role: Role, ownerId?: string): Promise<{ token: string; ownerId: string }>;
  /** All that was published to a topic until now, in order. */
  published<T>(topic: Topic<T>): Promise<readonly LogRecord<T>[]>;
  /** Facts of a job until now, in order. */
  facts(jobId: string): Promise<readonly JobFact[]>;
  /** Another instance on the same database, with hints by NOTIFY. */
  openAnother(instanceId: string): Promise<ProgressService>;
  /** Closes the service and opens it again on the same database. */
  restart(): Promise<void>;
}

/** Opens progress on an empty database. */
export async function openTestProgress(options: TestProgressOptions = {}): Promise<TestProgress> {
  const database = await createTestDatabase();
  const clock = options.clock ?? systemClock;
  const idSource = options.idSource ?? systemIdSource;
  const log = options.log ?? silentLogger;
  // the log has a clock of its own: a test that stands still is not to stop it
  const eventLog = await openPostgresEventLog({ sql: database.sql, source: 'progress', log, wake: 'memory' });
  const pair = await generateSigningKey();
  const publicKey = { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: clock.nowMs() };
  await eventLog.publish([record(signingKeysTopic, publicKey)]);
  const signer = await createTokenSigner({ ...pair, clock, idSource });
  const mediaStore: MediaStore | MemoryStore = options.mediaStore ?? openMemoryStore();
  let metrics = openMetricsRegistry({ processMetrics: false });
  const defaults = expectOk(loadSettings(progressSettings, {}), 'defaults');
  // on a busy machine nobody is to be turned away for being slow
  const settings = { ...defaults, PROGRESS_SLOW_REQUEST_MS: 60_000, ...options.settings };
  const open = (instanceId: string, wake: 'memory' | 'notify', registry: MetricsRegistry, sql = database.sql) =>
    createProgressService({
      ...{ settings, sql, eventLog, mediaStore, log, clock, idSource, instanceId, wake },
      metrics: registry,
      ...(options.jobTypes === undefined ? {} : { jobTypes: options.jobTypes }),
    });
  const progress: TestProgress = {
    ...{ database, eventLog, mediaStore },
    get metrics() {
      return metrics;
    },
    service: await open('progress-1', options.wake ?? 'memory', metrics),
    async call<T>(method: string, path: string, given: Parameters<TestProgress['call']>[2] = {}) {
      const response = await progress.service.fetch(
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
      const body = (text === '' ? undefined : JSON.parse(text)) as T;
      return { status: response.status, headers: response.headers, body };
    },
    async tokenOf(role, ownerId = newId('own', idSource)) {
      const { token } = await signer.issueApiToken({ ownerId, role, expiresInS: 3_600 });
      return { token, ownerId };
    },
    published: (topic) => published(database.sql, eventLog, topic),
    async facts(jobId) {
      const all = await progress.published(jobsTopic);
      return all.flatMap(({ value }) => (value?.job_id === jobId ? [value] : []));
    },
    async openAnother(instanceId) {
      const sql = openSql(database.url, { applicationName: instanceId, maxConnections: 4 });
      const service = await open(instanceId, 'notify', openMetricsRegistry({ processMetrics: false }), sql);
      return {
        ...service,
        async [Symbol.asyncDispose]() {
          await service[Symbol.asyncDispose]();
          await sql.end({ timeout: 2 });
        },
      };
    },
    async restart() {
      await progress.service[Symbol.asyncDispose]();
      metrics = openMetricsRegistry({ processMetrics: false });
      progress.service = await open('progress-1', options.wake ?? 'memory', metrics);
      await progress.service.ready;
    },
    async [Symbol.asyncDispose]() {
      await progress.service[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
  await progress.service.ready;
  return progress;
}
