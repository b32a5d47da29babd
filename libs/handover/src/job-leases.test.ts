import { ManualClock } from '@millrace/clock/testing';
import { silentLogger } from '@millrace/log';
import { openJobLeaseClient } from './job-lease-client.ts';
import { openJobLeaseServer } from './job-lease-server.ts';
import { openHttpFront } from './testing/http-front.ts';
import { defineJobLeasesContract } from './testing/job-leases-contract.ts';
import { aProbeTask } from './testing/leased-task.ts';
import { createMemoryJobLeases, type MemoryJobLeases } from './testing/memory-job-leases.ts';

const serviceToken = 'a-service-token-for-tests';

function around(desk: MemoryJobLeases) {
  let count = 0;
  return {
    retryMs: 0,
    async addTasks(many: number) {
      const ids = Array.from({ length: many }, () => `task-${count++}`);
      for (const id of ids) desk.add(aProbeTask(id));
      return ids;
    },
    cancel: async (taskId: string) => desk.cancel(taskId),
    standing: async (taskId: string) => desk.tasks.get(taskId)!.state.kind,
  };
}

defineJobLeasesContract('the desk in memory', async () => {
  const clock = new ManualClock();
  const desk = createMemoryJobLeases(clock);
  return {
    ...around(desk),
    leases: desk,
    advance: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {
      desk[Symbol.dispose]();
    },
  };
});

defineJobLeasesContract('over HTTP', async () => {
  const clock = new ManualClock();
  const desk = createMemoryJobLeases(clock);
  const server = openJobLeaseServer({ leases: desk, serviceToken, clock, log: silentLogger });
  const front = await openHttpFront(server.mount);
  const client = openJobLeaseClient({ baseUrl: front.baseUrl, serviceToken, clock, log: silentLogger });
  return {
    ...around(desk),
    leases: client,
    async advance(ms) {
      for (let left = ms; left > 0; left -= 500) {
        await clock.advance(Math.min(left, 500));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
      desk[Symbol.dispose]();
    },
  };
});
