/** What tests of the log need: its fakes, the contract that every adapter keeps, and the test run's Kafka broker. */
import { randomBytes } from 'node:crypto';
import { askTestEngine } from '@millrace/postgres/testing';

export { defineEventLogContract, type EventLogHarness } from './event-log-contract.ts';
export { type MemoryEventLogOptions, openMemoryEventLog } from './memory-event-log.ts';
export { openMemoryFactWriter } from './memory-fact-writer.ts';
export { MemoryStore } from './memory-store.ts';

/** Environment variable that tells test processes where the run's supervisor listens. */
export const kafkaSupervisorVariable = 'MILLRACE_TEST_KAFKA';

export interface TestKafka {
  /** host:port of each broker, for KAFKA_BROKERS. */
  readonly bootstrap: readonly string[];
  /** Fresh: topics and groups under it are this caller's alone. For KAFKA_TOPIC_PREFIX. */
  readonly topicPrefix: string;
}

/**
 * A real broker for a test, shared by the whole run and started when the first test asks. Throws when it cannot start: tests
 * fail and say why.
 */
export async function testKafka(): Promise<TestKafka> {
  const topicPrefix = `t${randomBytes(5).toString('hex')}.`;

  const environment = process.env;
  const given = environment['KAFKA_BROKERS'];
  if (given) return { bootstrap: given.split(',').map((one) => one.trim()), topicPrefix };
  const supervisor = environment[kafkaSupervisorVariable];
  if (supervisor === undefined) {
    throw new Error('expected a test run (vitest) or KAFKA_BROKERS: `npm run kafka` starts a broker and prints it');
  }
  const { bootstrap } = await askTestEngine<Pick<TestKafka, 'bootstrap'>>(supervisor, 'Kafka broker');
  return { bootstrap, topicPrefix };
}
