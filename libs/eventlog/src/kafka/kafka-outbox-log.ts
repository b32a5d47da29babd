/** The log on Kafka for a service with a database: what it publishes goes through the outbox there, in one order. */
import { sleep, systemClock } from '@millrace/clock';
import { Background } from '@millrace/lifecycle';
import type { Sql, TransactionSql } from '@millrace/postgres';
import type { EventLog, NewRecord } from '../event-log.ts';
import { noObserver } from '../observer.ts';
import { encodeBatches } from '../postgres/batch-codec.ts';
import { LogDatabase } from '../postgres/log-database.ts';
import { OutboxBell } from '../postgres/outbox-bell.ts';
import { insertIntoOutbox, OutboxWriter, outboxChannel } from '../postgres/outbox-writer.ts';
import type { TransactionalOutbox } from '../postgres/postgres-event-log.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaEventLog, type KafkaEventLogOptions, topicsOf } from './kafka-event-log.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { OutboxRelay } from './outbox-relay.ts';

export interface KafkaOutboxLogOptions extends KafkaEventLogOptions {
  /** A pool to share; one of its connections is kept by the relay. */
  readonly sql: Sql;
  /** Default 1 s. */
  readonly pollMs?: number;
  /** Default 1 s. */
  readonly takeOverMs?: number;
  /** Longest time of one send of the relay, ms; a successor of a relay that died waits as long. Default 4 s. */
  readonly sendDeadlineMs?: number;
}

class KafkaOutboxLog extends KafkaEventLog implements TransactionalOutbox {
  readonly #database: LogDatabase;
  readonly #outbox: OutboxWriter;
  readonly #relayWriter: KafkaWriter;
  readonly #relayAdmin: KafkaAdmin;
  readonly #loops: readonly Background[];
  readonly #relay: OutboxRelay;
  readonly #bell: OutboxBell;
  #closingOutbox: Promise<void> | undefined;

  constructor(options: KafkaOutboxLogOptions) {
    super(options);
    const { access, sql, log, clock = systemClock, metrics: observer = noObserver } = options;
    const clientId = `${options.source}-relay`;
    const sendDeadlineMs = options.sendDeadlineMs ?? 4_000;
    const pollMs = options.pollMs ?? 1_000;
    this.#database = new LogDatabase(sql);
    this.#relayAdmin = new KafkaAdmin(access, clientId, log);
    this.#relayWriter = new KafkaWriter({
      ...{ access, admin: this.#relayAdmin, clientId, log, clock, observer, random: Math.random },
      publishTimeoutMs: sendDeadlineMs,
    });
    const relay = new OutboxRelay({
      sql: () => this.#database.sql(),
      ensure: (topics) => this.#relayAdmin.ensureTopics(topics),
      send: (topics, records) => this.#relayWriter.write(topics, records),
      ...{ sendDeadlineMs, clock, log, random: Math.random, pollMs, takeOverMs: options.takeOverMs ?? 1_000 },
    });
    this.#relay = relay;
    this.#bell = new OutboxBell(this.#database);
    this.#outbox = new OutboxWriter(this.#database, { notify: true, afterInsert: () => relay.wake() });
    const crashed = (error: unknown) => log.error('log-relay-crashed', { error });
    const listen = async (signal: AbortSignal) => {
      // NOTIFY is a hint, and the relay polls behind it: an outage here costs time, nothing else.
      let unlisten: (() => Promise<void>) | undefined;
      while (!signal.aborted) {
        try {
          unlisten ??= (await (await this.#database.sql()).listen(outboxChannel, () => relay.wake())).unlisten;
        } catch (error) {
          log.debug('log-relay-deaf', { error });
        }
        await sleep(clock, pollMs, signal);
      }
      await unlisten?.().catch(() => {});
    };
    this.#loops = [new Background((signal) => relay.run(signal), crashed), new Background(listen, crashed)];
  }

  /** Through the outbox, too: what is published alone keeps its place between what is published in transactions. */
  override async publish(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#outbox.write(topicsOf(records), encodeBatches(this.encode(records)));
  }

  async publishIn(tx: TransactionSql, records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    const encoded = this.encode(records);
    await this.#database.ensureTopicsIn(tx, topicsOf(records));
    await insertIntoOutbox(tx, encodeBatches(encoded), false);
  }

  committed(): void {
    this.#relay.wake();
    if (!this.#relay.holds) this.#bell.ring();
  }

  override [Symbol.asyncDispose](): Promise<void> {
    this.#closingOutbox ??= this.#close();
    return this.#closingOutbox;
  }

  async #close(): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#outbox.drain();
    await Promise.all(this.#loops.map((loop) => loop[Symbol.asyncDispose]()));
    await this.#relayWriter[Symbol.asyncDispose]();
    await this.#relayAdmin[Symbol.asyncDispose]();
  }
}

/** Opens the log on Kafka with its outbox in `sql`. Resolves without either of them. */
export function openKafkaOutboxLog(options: KafkaOutboxLogOptions): Promise<EventLog & TransactionalOutbox> {
  return Promise.resolve(new KafkaOutboxLog(options));
}
