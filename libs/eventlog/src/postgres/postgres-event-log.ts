import { type Clock, systemClock } from '@millrace/clock';
import { systemIdSource } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { openSql, type Sql, type TransactionSql } from '@millrace/postgres';
import type { EventLog, NewRecord } from '../event-log.ts';
import { type LogObserver, noObserver } from '../observer.ts';
import { encodeRecord } from '../record-codec.ts';
import { StoreEventLog, type StoreEventLogDeps } from '../store-event-log.ts';
import { PostgresStore } from './postgres-store.ts';

/** Publishing that joins the caller's transaction. */
export interface TransactionalOutbox {
  /**
   * Puts `records` into the outbox inside `tx`: they are published when it commits, and never when it does not. Lock
   * the entity's row first (`SELECT ... FOR UPDATE`, or an UPDATE of it): the outbox id is drawn when the row is
   * inserted, so only the lock makes the order of ids the order of commits for that key.
   */
  publishIn(tx: TransactionSql, records: readonly NewRecord[]): Promise<void>;
  /**
   * Says that a transaction with a `publishIn` has committed: readers hear of it now, without it at the next poll. Returns at once;
   * a hint that gets lost (with its process, or the database) costs that time and nothing else.
   */
  committed(): void;
}

export type PostgresEventLog = EventLog & TransactionalOutbox;

export interface PostgresEventLogOptions {
  /** A pool to share (one of its connections is kept by the appender), or a URL for a pool of its own. */
  readonly sql?: Sql;
  readonly url?: string;
  /** CloudEvents source of records that name none, e.g. `control`. */
  readonly source: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** See `eventLogMetrics`. */
  readonly metrics?: LogObserver;
  /** `memory` when this process is the only user of the log (standalone); `notify` (default) otherwise. */
  readonly wake?: 'memory' | 'notify';
  /** Longest time a lost hint can delay, ms; default 1 s, with `memory` 5 s. */
  readonly pollMs?: number;
  /** Under load, records are appended at most this often, ms; after a pause the first goes at once. Default 20. */
  readonly gatherMs?: number;
  /** Default 1 s. */
  readonly takeOverMs?: number;
  /** Silence after which a member of a group loses its partitions, ms; default 10 s. */
  readonly groupLeaseMs?: number;
  /** Default 60 s. */
  readonly retentionEveryMs?: number;
}

class LogOnPostgres extends StoreEventLog implements TransactionalOutbox {
  readonly #store: PostgresStore;
  readonly #records: Pick<StoreEventLogDeps, 'ids' | 'source'>;
  readonly #end: () => Promise<void>;

  constructor(deps: StoreEventLogDeps, store: PostgresStore, end: () => Promise<void>) {
    super(deps);
    this.#store = store;
    this.#records = deps;
    this.#end = end;
  }

  async publishIn(tx: TransactionSql, records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    const encoded = records.map((one) => encodeRecord(one, this.#records));
    await this.#store.appendIn(tx, [...new Set(records.map((one) => one.topic))], encoded);
  }

  committed(): void {
    this.#store.committed();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#end();
  }
}

/**
 * Opens the log in PostgreSQL, schema `eventlog`, which it sets up itself. It resolves without the server: what needs it
 * goes on trying (tables, consumers, followers) or rejects (publish).
 */
export async function openPostgresEventLog(options: PostgresEventLogOptions): Promise<PostgresEventLog> {
  const { clock = systemClock, log, wake = 'notify', metrics = noObserver } = options;
  const sql =
    options.sql ?? (options.url ? openSql(options.url, { applicationName: `${options.source}-log` }) : undefined);
  if (sql === undefined) throw new Error('openPostgresEventLog needs `sql` or `url`');
  const store = new PostgresStore({
    ...{ sql, clock, log, wake, observer: metrics, random: Math.random },
    pollMs: options.pollMs ?? (wake === 'memory' ? 5_000 : 1_000),
    gatherMs: options.gatherMs ?? 20,
    takeOverMs: options.takeOverMs ?? 1_000,
    groupLeaseMs: options.groupLeaseMs ?? 10_000,
    retentionEveryMs: options.retentionEveryMs ?? 60_000,
  });
  const ids = { nowMs: () => clock.nowMs(), random: systemIdSource.random };
  const deps = { store, clock, log, observer: metrics, random: Math.random, ids, source: options.source };
  return new LogOnPostgres(deps, store, async () => {
    if (options.sql === undefined) await sql.end({ timeout: 5 });
  });
}
