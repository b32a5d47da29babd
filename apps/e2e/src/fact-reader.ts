/** Reads every fact that a topic keeps, as any consumer of the log would. */
import { systemClock } from '@millrace/clock';
import { type LogRecord, openEventLog } from '@millrace/eventlog';
import type { Topic } from '@millrace/events';
import { silentLogger } from '@millrace/log';

/** All records of `topic` in the order of their partitions; duplicates by id are left out, as readers do. */
export async function readFacts<T>(brokers: readonly string[], topic: Topic<T>): Promise<readonly LogRecord<T>[]> {
  const settings = {
    ...{ KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: '', KAFKA_REPLICATION: 1, KAFKA_TLS: false },
    ...{ KAFKA_TLS_CA_FILE: undefined, KAFKA_TLS_CERT_FILE: undefined, KAFKA_TLS_KEY_FILE: undefined },
    ...{ KAFKA_SASL_MECHANISM: 'none' as const, KAFKA_SASL_USERNAME: undefined, KAFKA_SASL_PASSWORD: undefined },
  };
  const deps = { source: 'test', log: silentLogger, clock: systemClock };
  await using eventLog = await openEventLog({ settings, ...deps });
  const records = new Map<string, LogRecord<T>>();
  const onRecord = (record: LogRecord<T>) => void (records.has(record.id) || records.set(record.id, record));
  await using follower = await eventLog.follow({ topic, from: 'earliest', onRecord });
  await follower.caughtUp;
  return [...records.values()];
}
