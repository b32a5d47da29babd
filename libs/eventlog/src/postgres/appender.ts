/**
 * The one writer of the log: gives what is in the outbox its offsets, in order of outbox id, and moves it to the log and to the last
 * values of state topics. Holding a session advisory lock makes it the only one; the epoch row, locked in every append, makes sure of it
 * when a connection is silently replaced. Other processes wait to take over.
 */
import { type Clock, sleep } from '@millrace/clock';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { openSession, type Sql } from '@millrace/postgres';
import type { LogObserver } from '../observer.ts';
import { Wakeup } from '../wakeup.ts';
import { decodeBatch, encodeStored } from './batch-codec.ts';
import { retainOnce } from './retention.ts';

export interface AppenderDeps {
  readonly sql: () => Promise<Sql>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: LogObserver;
  readonly random: () => number;
  /** Told after each append, of every partition that grew. */
  readonly onAppended: (grown: readonly { topic: string; partition: number; end: bigint }[]) => void;
  /** Looks into the outbox at least this often, ms. */
  readonly pollMs: number;
  /** From the beginning of one append to the next, at least, ms: what comes meanwhile goes together. */
  readonly gatherMs: number;
  /** Tries to take over this often while another process appends, ms. */
  readonly takeOverMs: number;
  readonly retentionEveryMs: number;
  /** Tell readers in other processes. */
  readonly notify: boolean;
}

interface OutboxRow {
  readonly id: bigint;
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly newest_ms: bigint;
  readonly records: string;
}

interface LogRow {
  readonly topic: string;
  readonly partition: number;
  readonly base: bigint;
  readonly last: bigint;
  readonly newestMs: bigint;
  readonly records: string;
}

const rowsPerAppend = 200;
export const appendedChannel = 'millrace_appended';

export class Appender {
  readonly #deps: AppenderDeps;
  readonly #wakeup = new Wakeup();
  /** Next offsets by `topic/partition` and the kinds of topics, right as long as the epoch is ours. */
  readonly #offsets = new Map<string, bigint>();
  readonly #kinds = new Map<string, string>();
  #holds = false;
  #epoch = 0n;

  constructor(deps: AppenderDeps) {
    this.#deps = deps;
  }

  /** Whether this process appends now. */
  get holds(): boolean {
    return this.#holds;
  }

  /** There is something in the outbox. */
  wake(): void {
    this.#wakeup.ring();
  }

  /** Runs until aborted; survives outages. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let connection: Sql | undefined;
    while (!signal.aborted) {
      try {
        connection ??= openSession(await this.#deps.sql());
        if (await this.#take(connection)) {
          failures = 0;
          await this.#appendUntil(connection, signal);
        } else {
          await sleep(this.#deps.clock, this.#deps.takeOverMs * (0.75 + this.#deps.random() / 2), signal);
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#holds = false;
        // Whatever went wrong, the next try begins on a session without a past.
        connection?.end({ timeout: 0 }).catch(() => {}); // it is lost already, or closes by itself
        connection = undefined;
        this.#deps.log[failures === 0 ? 'warn' : 'debug']('log-append-failed', { error });
        await sleep(this.#deps.clock, backoffMs(failures++, 50, 2_000, this.#deps.random()), signal);
      }
    }
    this.#holds = false;
    await connection?.end({ timeout: 2 }); // and with the session goes its lock
  }

  async #take(connection: Sql): Promise<boolean> {
    const [lock] = await connection`SELECT pg_try_advisory_lock(hashtextextended('millrace-log-appender', 0)) AS taken`;
    if (lock?.['taken'] !== true) return false;
    const [row] = await connection`UPDATE eventlog.appender SET epoch = epoch + 1 RETURNING epoch`;
    this.#epoch = row?.['epoch'] as bigint;
    this.#offsets.clear();
    this.#kinds.clear();
    this.#holds = true;
    return true;
  }

  async #appendUntil(connection: Sql, signal: AbortSignal): Promise<void> {
    const { clock, pollMs, gatherMs, retentionEveryMs } = this.#deps;
    let retainedMs = clock.monotonicMs();
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const appended = await this.#appendOnce(connection);
      if (clock.monotonicMs() - retainedMs > retentionEveryMs) {
        retainedMs = clock.monotonicMs();
        await retainOnce(connection, clock.nowMs());
      }
      if (appended === rowsPerAppend) continue;
      await this.#wakeup.wait(signal, clock, pollMs);
      const restMs = startedMs + gatherMs - clock.monotonicMs();
      if (restMs > 0) await sleep(clock, restMs, signal);
    }
  }

  /**
   * Returns how many outbox rows it moved. When it throws, it may have moved them or not, and the session is to be closed: who takes over
   * reads what is so.
   */
  async #appendOnce(connection: Sql): Promise<number> {
    const rows: readonly OutboxRow[] = await connection<OutboxRow[]>`
      SELECT id, topic, partition, count, newest_ms, records FROM eventlog.outbox ORDER BY id LIMIT ${rowsPerAppend}`;
    if (rows.length === 0) return 0;
    await this.#learn(connection, rows);
    const offsets = new Map(this.#offsets);
    const logRows = rows.map((row) => place(row, offsets));
    await this.#move(connection, rows, logRows, offsets);
    for (const [id, next] of offsets) this.#offsets.set(id, next);
    for (const row of rows) this.#deps.observer.appended(row.topic, row.count);
    const grown = new Map(logRows.map((row) => [`${row.topic}/${row.partition}`, row]));
    this.#deps.onAppended(
      [...grown.values()].map(({ topic, partition, last }) => ({ topic, partition, end: last + 1n })),
    );
    return rows.length;
  }

  /** Loads offsets and kinds of topics that this appender has not met since it took over. */
  async #learn(connection: Sql, rows: readonly OutboxRow[]): Promise<void> {
    const unknown = [...new Set(rows.map((row) => row.topic))].filter((topic) => !this.#kinds.has(topic));
    if (unknown.length === 0) return;
    const known = await connection`
      SELECT t.name, t.kind, p.partition, p.next_offset
      FROM eventlog.topics t JOIN eventlog.partitions p ON p.topic = t.name WHERE t.name = ANY(${unknown}::text[])`;
    for (const row of known) {
      this.#kinds.set(String(row['name']), String(row['kind']));
      this.#offsets.set(`${String(row['name'])}/${String(row['partition'])}`, row['next_offset'] as bigint);
    }
  }

  /**
   * Moves rows from the outbox to the log in one statement. A transaction of several could come apart: when its connection is lost, the
   * statements that were not sent yet go out on the next one, each by itself.
   */
  async #move(
    connection: Sql,
    outboxRows: readonly OutboxRow[],
    rows: readonly LogRow[],
    offsets: ReadonlyMap<string, bigint>,
  ): Promise<void> {
    const touched = [...new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row])).entries()];
    const states = rows.filter((row) => this.#kinds.get(row.topic) === 'state');
    // A payload holds 8,000 bytes; readers ask for themselves when it says nothing.
    const grown = touched.map(([id]) => `${id}=${String(offsets.get(id))}`).join(' ');
    const payload = grown.length < 7_000 ? grown : '';
    const [done] = await connection`
      WITH fence AS MATERIALIZED (SELECT epoch FROM eventlog.appender WHERE epoch = ${this.#epoch} FOR UPDATE),
      moved AS (
        DELETE FROM eventlog.outbox
        WHERE id = ANY(${outboxRows.map((row) => String(row.id))}::int8[]) AND EXISTS (SELECT 1 FROM fence) RETURNING id),
      appended AS (
        INSERT INTO eventlog.log (topic, partition, last_offset, base_offset, newest_ms, records)
        SELECT given.* FROM unnest(
          ${rows.map((r) => r.topic)}::text[], ${rows.map((r) => r.partition)}::int[], ${rows.map((r) => String(r.last))}::int8[],
          ${rows.map((r) => String(r.base))}::int8[], ${rows.map((r) => String(r.newestMs))}::int8[],
          ${rows.map((r) => r.records)}::text[]) AS given WHERE EXISTS (SELECT 1 FROM fence)),
      advanced AS (
        UPDATE eventlog.partitions p SET next_offset = given.next_offset
        FROM unnest(${touched.map(([, r]) => r.topic)}::text[], ${touched.map(([, r]) => r.partition)}::int[],
                    ${touched.map(([id]) => String(offsets.get(id)))}::int8[]) AS given (topic, partition, next_offset)
        WHERE p.topic = given.topic AND p.partition = given.partition AND EXISTS (SELECT 1 FROM fence))
      ${states.length > 0 ? connection`, kept AS (${keepLastValues(connection, states)})` : connection``}
      SELECT (SELECT count(*) FROM moved)::int AS moved
        ${this.#deps.notify ? connection`, (SELECT pg_notify(${appendedChannel}, ${payload}) FROM fence)` : connection``}`;
    if (done?.['moved'] !== rows.length) throw new Error('another appender has taken over');
  }
}

function place(row: OutboxRow, offsets: Map<string, bigint>): LogRow {
  const id = `${row.topic}/${row.partition}`;
  const base = offsets.get(id);
  if (base === undefined) throw new Error(`outbox row ${row.id}: ${id} is not a partition of the log`);
  const next = base + BigInt(row.count);
  offsets.set(id, next);
  const { topic, partition, newest_ms, records } = row;
  return { topic, partition, base, last: next - 1n, newestMs: newest_ms, records };
}

/** A part of the statement that moves; `fence` is in it. */
function keepLastValues(connection: Sql, rows: readonly LogRow[]) {
  const records = rows.flatMap((row) => decodeBatch(row.topic, row.partition, row.base, row.records));
  const last = [...new Map(records.map((one) => [`${one.topic} ${one.key}`, one])).values()];
  return connection`
    INSERT INTO eventlog.last_values (topic, key, partition, "offset", time_ms, removed, record)
    SELECT given.* FROM unnest(
      ${last.map((r) => r.topic)}::text[], ${last.map((r) => r.key)}::text[], ${last.map((r) => r.partition)}::int[],
      ${last.map((r) => String(r.offset))}::int8[], ${last.map((r) => String(r.timeMs))}::int8[],
      ${last.map((r) => String(r.value === undefined))}::boolean[], ${last.map(encodeStored)}::text[]) AS given
    WHERE EXISTS (SELECT 1 FROM fence)
    ON CONFLICT (topic, key) DO UPDATE SET partition = EXCLUDED.partition, "offset" = EXCLUDED."offset",
      time_ms = EXCLUDED.time_ms, removed = EXCLUDED.removed, record = EXCLUDED.record`;
}
