/** The log in PostgreSQL as a LogStore: outbox in, one appender, reads by offset, hints in memory or by NOTIFY. */
import { type Clock, sleep } from '@millrace/clock';
import type { Topic } from '@millrace/events';
import { Background } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { Sql, TransactionSql } from '@millrace/postgres';
import type { LogStore, PartitionRange, PartitionSlice, ReadOptions } from '../log-store.ts';
import type { LogObserver } from '../observer.ts';
import type { EncodedRecord, StoredRecord } from '../record-codec.ts';
import { Appender, appendedChannel } from './appender.ts';
import { decodeBatch, encodeBatches } from './batch-codec.ts';
import { LogDatabase } from './log-database.ts';
import { OutboxBell } from './outbox-bell.ts';
import { insertIntoOutbox, OutboxWriter, outboxChannel } from './outbox-writer.ts';
import { groupsChannel, PostgresGroups } from './postgres-groups.ts';

export interface PostgresStoreOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: LogObserver;
  readonly random: () => number;
  /** `memory`: this process is the only one; `notify`: others use the same log. */
  readonly wake: 'memory' | 'notify';
  readonly pollMs: number;
  readonly gatherMs: number;
  readonly takeOverMs: number;
  readonly groupLeaseMs: number;
  readonly retentionEveryMs: number;
}

type Advance = { readonly topic: string; readonly partition: number; readonly end: bigint };

/** Most stored batches in one read of a partition (each at most 256,000 characters). */
const maxRowsPerRead = 64;

export class PostgresStore implements LogStore {
  readonly groups: PostgresGroups;
  readonly #options: PostgresStoreOptions;
  readonly #database: LogDatabase;
  readonly #writer: OutboxWriter;
  readonly #appender: Appender;
  readonly #bell: OutboxBell;
  readonly #loops: readonly Background[];
  readonly #listeners = new Set<(topic: string, partition: number, end: bigint) => void>();
  readonly #ends = new Map<string, bigint>();

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    const notify = options.wake === 'notify';
    this.#database = new LogDatabase(options.sql);
    this.#bell = new OutboxBell(this.#database);
    const sql = () => this.#database.sql();
    this.groups = new PostgresGroups(this.#database, { leaseMs: options.groupLeaseMs, commitIntervalMs: 200, notify });
    this.#appender = new Appender({ ...options, sql, notify, onAppended: (grown) => this.#advanced(grown) });
    this.#writer = new OutboxWriter(this.#database, { notify, afterInsert: () => this.#appender.wake() });
    const crashed = (error: unknown) => options.log.error('log-loop-crashed', { error });
    this.#loops = [
      new Background((signal) => this.#appender.run(signal), crashed),
      new Background((signal) => this.#watch(signal), crashed),
    ];
  }

  async append(topics: readonly Topic[], records: readonly EncodedRecord[]): Promise<void> {
    await this.#writer.write(topics, encodeBatches(records));
  }

  /** Joins the caller's transaction: the records are in the log once it has committed, and never if it has not. */
  async appendIn(tx: TransactionSql, topics: readonly Topic[], records: readonly EncodedRecord[]): Promise<void> {
    await this.#database.ensureTopicsIn(tx, topics);
    await insertIntoOutbox(tx, encodeBatches(records), false);
  }

  /** A transaction that `appendIn` joined has committed. */
  committed(): void {
    this.#appender.wake();
    if (this.#options.wake === 'notify' && !this.#appender.holds) this.#bell.ring();
  }

  async read(
    topic: Topic,
    from: ReadonlyMap<number, bigint>,
    maxRecords: number,
    options: ReadOptions = {},
  ): Promise<readonly PartitionSlice[]> {
    if (options.latestOnly) return this.#readLast(topic, from, maxRecords);
    const sql = await this.#database.sql();
    const rows = await sql`
      SELECT given.partition, p.start_offset, l.base_offset, l.last_offset, l.records
      FROM unnest(${[...from.keys()]}::int[], ${[...from.values()].map(String)}::int8[]) AS given (partition, position)
      JOIN eventlog.partitions p ON p.topic = ${topic.name} AND p.partition = given.partition
      LEFT JOIN LATERAL (
        SELECT base_offset, last_offset, records FROM eventlog.log l
        WHERE l.topic = ${topic.name} AND l.partition = given.partition AND l.last_offset >= given.position
        ORDER BY l.last_offset LIMIT ${Math.min(maxRecords, maxRowsPerRead)}) l ON true
      ORDER BY given.partition, l.last_offset`;
    const slices: PartitionSlice[] = [];
    const trimmed = new Map<number, bigint>();
    for (const [partition, position] of from) {
      const own = rows.filter((row) => row['partition'] === partition);
      const start = (own[0]?.['start_offset'] as bigint | undefined) ?? 0n;
      if (topic.kind === 'state' && position < start) {
        trimmed.set(partition, position);
        continue;
      }
      const stored = own.filter((row) => row['records'] !== null);
      const records = stored
        .flatMap((row) => decodeBatch(topic.name, partition, row['base_offset'] as bigint, String(row['records'])))
        .filter((record) => record.offset >= position);
      const last = stored.at(-1)?.['last_offset'] as bigint | undefined;
      slices.push({ partition, records, nextOffset: last === undefined ? later(position, start) : last + 1n });
    }
    if (trimmed.size > 0) slices.push(...(await this.#readLast(topic, trimmed, maxRecords)));
    return slices;
  }

  async identity(): Promise<string> {
    const sql = await this.#database.sql();
    const [row] = await sql`SELECT id FROM eventlog.identity`;
    return String(row?.['id']);
  }

  async ranges(topic: Topic): Promise<readonly PartitionRange[]> {
    await this.#database.ensureTopics([topic]);
    const sql = await this.#database.sql();
    const rows = await sql`
      SELECT partition, start_offset, next_offset FROM eventlog.partitions WHERE topic = ${topic.name} ORDER BY partition`;
    // What compaction keeps of a state topic begins before the oldest log row.
    const start = (row: (typeof rows)[number]) => (topic.kind === 'state' ? 0n : (row['start_offset'] as bigint));
    return rows.map((row) => ({ start: start(row), end: row['next_offset'] as bigint }));
  }

  onAdvance(listener: (topic: string, partition: number, end: bigint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether this process's appender is the one that appends. */
  get appends(): boolean {
    return this.#appender.holds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.drain();
    await Promise.all(this.#loops.map((loop) => loop[Symbol.asyncDispose]()));
    this.#listeners.clear();
  }

  /** Last values in offset order: a key that changes meanwhile moves behind the position and is met there. */
  async #readLast(topic: Topic, from: ReadonlyMap<number, bigint>, maxRecords: number): Promise<PartitionSlice[]> {
    const sql = await this.#database.sql();
    const rows = await sql`
      SELECT given.partition, p.next_offset, v."offset", v.record
      FROM unnest(${[...from.keys()]}::int[], ${[...from.values()].map(String)}::int8[]) AS given (partition, position)
      JOIN eventlog.partitions p ON p.topic = ${topic.name} AND p.partition = given.partition
      LEFT JOIN LATERAL (
        SELECT v."offset", v.record FROM eventlog.last_values v
        WHERE v.topic = ${topic.name} AND v.partition = given.partition AND v."offset" >= given.position
        ORDER BY v."offset" LIMIT ${maxRecords}) v ON true
      ORDER BY given.partition, v."offset"`;
    return [...from].map(([partition, position]) => {
      const own = rows.filter((row) => row['partition'] === partition);
      const records: StoredRecord[] = own
        .filter((row) => row['record'] !== null)
        .flatMap((row) => decodeBatch(topic.name, partition, row['offset'] as bigint, String(row['record'])));
      const last = records.at(-1);
      const end = (own[0]?.['next_offset'] as bigint | undefined) ?? position;
      // A full page may be followed by more; after a short one everything before the end is known.
      const nextOffset = last !== undefined && records.length >= maxRecords ? last.offset + 1n : later(position, end);
      return { partition, records, nextOffset };
    });
  }

  #advanced(grown: readonly Advance[]): void {
    for (const { topic, partition, end } of grown) {
      const id = `${topic}/${partition}`;
      if (end <= (this.#ends.get(id) ?? 0n)) continue;
      this.#ends.set(id, end);
      for (const listener of this.#listeners) listener(topic, partition, end);
    }
  }

  /** Listens for hints from other processes and polls behind them. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, log, pollMs, wake } = this.#options;
    let unlisten: (() => Promise<void>)[] = [];
    while (!signal.aborted) {
      try {
        const sql = await this.#database.sql();
        if (unlisten.length === 0) unlisten = await this.#listen(sql, wake);
        const rows = await sql`SELECT topic, partition, next_offset FROM eventlog.partitions WHERE next_offset > 0`;
        this.#advanced(
          rows.map((row) => ({
            ...{ topic: String(row['topic']), partition: Number(row['partition']) },
            end: row['next_offset'] as bigint,
          })),
        );
      } catch (error) {
        log.debug('log-watch-failed', { error });
      }
      await sleep(clock, pollMs, signal);
    }
    await Promise.allSettled(unlisten.map((stop) => stop()));
  }

  async #listen(sql: Sql, wake: 'memory' | 'notify'): Promise<(() => Promise<void>)[]> {
    const channels: [string, (payload: string) => void][] = [[outboxChannel, () => this.#appender.wake()]];
    if (wake === 'notify') {
      channels.push([appendedChannel, (payload) => this.#advanced(parseAdvances(payload))]);
      channels.push([groupsChannel, (group) => this.groups.heard(group)]);
    }
    const opened: (() => Promise<void>)[] = [];
    for (const [channel, onNotify] of channels) opened.push((await sql.listen(channel, onNotify)).unlisten);
    return opened;
  }
}

/** `topic/partition=end` separated by spaces. */
function parseAdvances(payload: string): Advance[] {
  return payload.split(' ').flatMap((part) => {
    const match = /^(.+)\/(\d+)=(\d+)$/.exec(part);
    return match?.[1] && match[2] && match[3]
      ? [{ topic: match[1], partition: Number(match[2]), end: BigInt(match[3]) }]
      : [];
  });
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
