import type { EventLog } from './event-log.ts';
import { defineEventLogContract } from './event-log-contract.ts';
import { openMemoryEventLog } from './memory-event-log.ts';
import { MemoryStore } from './memory-store.ts';
import { StoreEventLog } from './store-event-log.ts';

defineEventLogContract('the in-memory log', async () => {
  const store = new MemoryStore();
  const logs: EventLog[] = [];
  return {
    openLog: async () => {
      const log = openMemoryEventLog({ store });
      logs.push(log);
      return log;
    },
    kill: async (log) => {
      if (!(log instanceof StoreEventLog)) throw new Error('expected a log of this harness');
      for (const { membership } of log.members) store.groups.abandon(membership.member);
      await log[Symbol.asyncDispose]();
    },
    retain: async (topics, nowMs) => topics.forEach((topic) => void store.retain(topic, nowMs)),
    [Symbol.asyncDispose]: async () => {
      for (const log of logs) await log[Symbol.asyncDispose]();
    },
  };
});
