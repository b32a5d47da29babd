/** Runs once in the test runner's main process: offers the tests one real PostgreSQL, started when the first one asks. */
import { openTestClusterSupervisor, supervisorVariable } from '@millrace/postgres/testing';

export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[supervisorVariable] !== undefined) return undefined; // another project of this run has opened it
  const supervisor = await openTestClusterSupervisor();
  process.env[supervisorVariable] = supervisor.socketPath;
  return async () => {
    delete process.env[supervisorVariable];
    await supervisor[Symbol.asyncDispose]();
  };
}
