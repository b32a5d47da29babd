/** Runs once in the test runner's main process: offers the tests one real PostgreSQL and one Kafka broker, each started when the first one asks. */
import { kafkaSupervisorVariable } from '@millrace/eventlog/testing';
import { openTestClusterSupervisor, supervisorVariable } from '@millrace/postgres/testing';
import { openTestKafkaSupervisor } from './kafka-supervisor.ts';

export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[supervisorVariable] !== undefined) return undefined; // another project of this run has opened it
  const supervisor = await openTestClusterSupervisor();
  process.env[supervisorVariable] = supervisor.socketPath;
  const kafka = await openTestKafkaSupervisor();
  process.env[kafkaSupervisorVariable] = kafka.socketPath;
  return async () => {
    delete process.env[supervisorVariable];
    delete process.env[kafkaSupervisorVariable];
    await kafka[Symbol.asyncDispose]();
    await supervisor[Symbol.asyncDispose]();
  };
}
