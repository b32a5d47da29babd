/** The event log of a service that runs as a process of its own, by its settings: Kafka, or else PostgreSQL. */
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { Sql } from '@millrace/postgres';
import type { EventLog } from './event-log.ts';
import type { EventLogSettings } from './event-log-settings.ts';
import { kafkaAccess } from './kafka/kafka-access.ts';
import { openKafkaEventLog } from './kafka/kafka-event-log.ts';
import { openKafkaOutboxLog } from './kafka/kafka-outbox-log.ts';
import type { LogObserver } from './observer.ts';
import { openPostgresEventLog, type TransactionalOutbox } from './postgres/postgres-event-log.ts';

export interface OpenEventLogOptions {
  /** `DATABASE_URL` is needed only where there are no brokers. */
  readonly settings: EventLogSettings & { readonly DATABASE_URL?: string | undefined };
  /** CloudEvents source: the instance's name. */
  readonly source: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** See `eventLogMetrics`. */
  readonly metrics?: LogObserver;
}

/** Opens the log. Rejects with a text for the operator when the settings name neither brokers nor a database. */
export async function openEventLog(options: OpenEventLogOptions): Promise<EventLog> {
  const { settings, ...rest } = options;
  if (settings.KAFKA_BROKERS.length > 0) return openKafkaEventLog({ ...rest, access: kafkaAccess(settings) });
  if (settings.DATABASE_URL === undefined) throw new Error('expected KAFKA_BROKERS or DATABASE_URL for the event log');
  return openPostgresEventLog({ ...rest, url: settings.DATABASE_URL });
}

/** The same for a service with a database: its outbox is there, and is relayed where the log is elsewhere. */
export async function openOutboxEventLog(
  options: OpenEventLogOptions & { readonly sql: Sql },
): Promise<EventLog & TransactionalOutbox> {
  const { settings, ...rest } = options;
  if (settings.KAFKA_BROKERS.length > 0) return openKafkaOutboxLog({ ...rest, access: kafkaAccess(settings) });
  return openPostgresEventLog(rest);
}
