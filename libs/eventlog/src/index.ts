export type {
  Batch,
  ConsumeOptions,
  Consumer,
  EventLog,
  Follower,
  FollowOptions,
  LogRecord,
  NewRecord,
  Table,
} from './event-log.ts';
export { type EventLogSettings, eventLogSettings } from './event-log-settings.ts';
export type { FactWriter } from './fact-writer.ts';
export { type KafkaEventLogOptions, openKafkaEventLog } from './kafka/kafka-event-log.ts';
export { type KafkaOutboxLogOptions, openKafkaOutboxLog } from './kafka/kafka-outbox-log.ts';
export { eventLogMetrics } from './metrics.ts';
export { record, tombstone } from './new-record.ts';
export { type LogObserver, noObserver } from './observer.ts';
export { type OpenEventLogOptions, openEventLog, openOutboxEventLog } from './open-event-log.ts';
export { partitionOf } from './partitioner.ts';
export {
  openPostgresEventLog,
  type PostgresEventLog,
  type PostgresEventLogOptions,
  type TransactionalOutbox,
} from './postgres/postgres-event-log.ts';
export { type FactWriterOptions, openFactWriter, SpoolFullError } from './spool/spool-fact-writer.ts';
