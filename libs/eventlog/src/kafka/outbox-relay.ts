/**
 * Moves the outbox of a database to Kafka: one process at a time, elected as the appender is by a session advisory lock. It
 * reads committed rows in order of their id, sends them, and deletes what was acknowledged. There is no cursor that could run
 * past a row: one that drew the earlier id and commits last is met by a later read. (Order per key is the order of commit,
 * because writers hold the entity's row lock when they draw the id.) At least once: the events keep their ids.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { TopicKind } from '@millrace/events';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { openSession, type Sql } from '@millrace/postgres';
import { decodeBatch } from '../postgres/batch-codec.ts';
import type { EncodedRecord } from '../record-codec.ts';
import { Wakeup } from '../wakeup.ts';
import type { TopicShape } from './topic-settings.ts';

export interface OutboxRelayDeps {
  /** A pool whose log schema is in place; rejects while the server is away. */
  readonly sql: () => Promise<Sql>;
  /** Sets topics up at the brokers. */
  readonly ensure: (topics: readonly TopicShape[]) => Promise<void>;
  /** Sends to Kafka; rejects at the latest after `sendDeadlineMs`, and sends nothing of it later. */
  readonly send: (topics: readonly TopicShape[], records: readonly EncodedRecord[]) => Promise<void>;
  readonly sendDeadlineMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** Looks into the outbox at least this often, ms. */
  readonly pollMs: number;
  /** Tries to take over this often while another process relays, ms. */
  readonly takeOverMs: number;
}

interface OutboxRow {
  readonly id: bigint;
  readonly topic: string;
  readonly partition: number;
  readonly records: string;
}

const rowsPerSend = 200;
/** Characters; a row has at most 256,000, or one record. */
const maxSendLength = 400_000;

export class OutboxRelay {
  readonly #deps: OutboxRelayDeps;
  readonly #wakeup = new Wakeup();
  readonly #topics = new Map<string, TopicShape>();
  #holds = false;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
  }

  /** Whether this process relays now. */
  get holds(): boolean {
    return this.#holds;
  }

  /** There is something in the outbox. */
  wake(): void {
    this.#wakeup.ring();
  }

  /** Runs until aborted; survives outages of the database and of the brokers. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, takeOverMs } = this.#deps;
    let failures = 0;
    let connection: Sql | undefined;
    while (!signal.aborted) {
      try {
        connection ??= openSession(await this.#deps.sql());
        if (await this.#take(connection, signal)) {
          failures = 0;
          await this.#relayUntil(connection, signal);
        } else {
          await sleep(clock, takeOverMs * (0.75 + random() / 2), signal);
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#holds = false;
        connection?.end({ timeout: 0 }).catch(() => {}); // it is lost already, or closes by itself
        connection = undefined;
        log[failures === 0 ? 'warn' : 'debug']('log-relay-failed', { error });
        await sleep(clock, backoffMs(failures++, 100, 2_000, random()), signal);
      }
    }
    if (this.#holds && connection !== undefined) {
      await connection`UPDATE eventlog.relay SET clean = true`.catch(() => {}); // its successor waits, then
    }
    this.#holds = false;
    await connection?.end({ timeout: 2 }); // and with the session goes its lock
  }

  async #take(connection: Sql, signal: AbortSignal): Promise<boolean> {
    const [lock] = await connection`SELECT pg_try_advisory_lock(hashtextextended('millrace-log-relay', 0)) AS taken`;
    if (lock?.['taken'] !== true) return false;
    const [before] = await connection`SELECT clean FROM eventlog.relay`;
    await connection`UPDATE eventlog.relay SET epoch = epoch + 1, clean = false`;
    // A session can be lost under a relay that lives and has a send on its way: the older records must not land behind what
    // this one sends, as they would become the last values of their keys.
    if (before?.['clean'] !== true) await sleep(this.#deps.clock, this.#deps.sendDeadlineMs + 500, signal);
    this.#holds = !signal.aborted;
    return this.#holds;
  }

  async #relayUntil(connection: Sql, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const moved = await this.#relayOnce(connection);
      if (moved < rowsPerSend) await this.#wakeup.wait(signal, this.#deps.clock, this.#deps.pollMs);
    }
  }

  /** Returns how many rows it moved. The read itself shows that the session, and so the lock, is still there. */
  async #relayOnce(connection: Sql): Promise<number> {
    const rows = await connection<OutboxRow[]>`
      SELECT id, topic, partition, records FROM eventlog.outbox ORDER BY id LIMIT ${rowsPerSend}`;
    if (rows.length === 0) return 0;
    // Setting up topics may take longer than the lock is sure to be ours: what to send is read again afterwards.
    if (await this.#learn(connection, rows)) return rowsPerSend;
    const taken = firstRows(rows);
    const shapes = [...new Set(taken.map((row) => row.topic))].flatMap((name) => this.#topics.get(name) ?? []);
    await this.#deps.send(shapes, taken.flatMap(recordsOf));
    await connection`DELETE FROM eventlog.outbox WHERE id = ANY(${taken.map((row) => String(row.id))}::int8[])`;
    return taken.length < rows.length ? rowsPerSend : rows.length;
  }

  /** The topics' shapes, from the table that writers enter them in: this process may not have declared them. True when some were new. */
  async #learn(connection: Sql, rows: readonly OutboxRow[]): Promise<boolean> {
    const unknown = [...new Set(rows.map((row) => row.topic))].filter((topic) => !this.#topics.has(topic));
    if (unknown.length === 0) return false;
    const known = await connection`
      SELECT name, kind, partitions, retention_ms FROM eventlog.topics WHERE name = ANY(${unknown}::text[])`;
    const shapes = known.map((row): TopicShape => {
      const retention = row['retention_ms'] as bigint | null;
      return {
        ...{ name: String(row['name']), kind: row['kind'] as TopicKind, partitions: Number(row['partitions']) },
        retentionMs: retention === null ? Number.POSITIVE_INFINITY : Number(retention),
      };
    });
    await this.#deps.ensure(shapes);
    for (const shape of shapes) this.#topics.set(shape.name, shape);
    return true;
  }
}

/** As many as go in one request to the brokers, so that the deadline of a send is the deadline of all. */
function firstRows(rows: readonly OutboxRow[]): readonly OutboxRow[] {
  let length = 0;
  const end = rows.findIndex((row, index) => {
    length += row.records.length;
    return index > 0 && length > maxSendLength;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

function recordsOf(row: OutboxRow): EncodedRecord[] {
  return decodeBatch(row.topic, row.partition, 0n, row.records).map(({ offset: _, value, ...attributes }) => ({
    ...attributes,
    value: value === undefined ? undefined : JSON.stringify(value),
  }));
}
