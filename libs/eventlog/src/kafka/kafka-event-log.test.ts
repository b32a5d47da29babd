import { silentLogger } from '@millrace/log';
import { vi } from 'vitest';
import { defineEventLogContract } from '../event-log-contract.ts';
import { testKafka } from '../testing.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaEventLog, openKafkaEventLog } from './kafka-event-log.ts';

defineEventLogContract('the Kafka log', async () => {
  const { bootstrap, topicPrefix } = await testKafka();
  const access = { brokers: bootstrap, topicPrefix, replication: 1 };
  const logs: KafkaEventLog[] = [];
  return {
    compaction: 'eventual',
    openLog: async () => {
      // Short, so that take-overs are quick; long enough for a machine that is busy with other tests.
      const groups = { sessionTimeoutMs: 1_500, heartbeatMs: 200, rebalanceGraceMs: 500, commitIntervalMs: 50 };
      const log = await openKafkaEventLog({ access, source: 'contract', log: silentLogger, groups });
      logs.push(log);
      return log;
    },
    kill: async (log) => {
      if (!(log instanceof KafkaEventLog)) throw new Error('expected a log of this harness');
      await log.kill();
    },
    retain: async (topics, nowMs) => {
      // The brokers themselves drop old segments; the test run's check every 300 ms.
      await using admin = new KafkaAdmin(access, 'contract', silentLogger);
      for (const topic of topics.filter(({ retentionMs }) => Number.isFinite(retentionMs))) {
        const cutoff = await admin.use((client) =>
          client.fetchTopicOffsetsByTimestamp(admin.nameOf(topic.name), nowMs - topic.retentionMs),
        );
        await vi.waitFor(
          async () => {
            const ranges = await admin.ranges(topic.name);
            for (const { partition, offset } of cutoff) {
              const { start = 0n, end = 0n } = ranges[partition] ?? {};
              const first = offset === '-1' ? end : BigInt(offset);
              if (start < first) throw new Error(`${topic.name}/${partition} begins at ${start}, not at ${first}`);
            }
          },
          { timeout: 15_000, interval: 100 },
        );
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()));
    },
  };
});
