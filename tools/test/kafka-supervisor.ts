/** One real Kafka broker for a whole test run. It dies with the test runner's main process, however that ends. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestEngineSupervisor } from '@millrace/postgres/testing';
import { startKafka } from '../kafka/kafka.ts';

/** Quick retention and compaction, so that tests can wait for them. */
const settings = {
  'log.retention.check.interval.ms': 300,
  'log.initial.task.delay.ms': 100,
  'log.cleaner.backoff.ms': 300,
  'offsets.retention.check.interval.ms': 600_000,
};

/** Opens the supervisor; `socketPath` goes into the environment of the test processes. */
export function openTestKafkaSupervisor(): Promise<{ readonly socketPath: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), `millrace-kafka-${process.pid}-socket-`));
  return openTestEngineSupervisor(
    folder,
    () => startKafka({ settings }),
    ({ bootstrap }) => ({ bootstrap }),
  );
}
