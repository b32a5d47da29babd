/** A process for the crash test: a group member that says what it handles and hangs in the middle of its second batch. */
import { liveStreamsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openKafkaEventLog } from './kafka-event-log.ts';

const [brokers = '', topicPrefix = ''] = process.argv.slice(2);
const log = await openKafkaEventLog({
  access: { brokers: brokers.split(','), topicPrefix, replication: 1 },
  ...{ source: 'crash', log: silentLogger },
  groups: { sessionTimeoutMs: 1_500, heartbeatMs: 200, commitIntervalMs: 20 },
});
let handled = 0;
await log.consume({
  group: 'crash',
  topics: [liveStreamsTopic],
  maxBatchRecords: 10,
  handler: async (batch) => {
    for (const one of batch.records) process.stdout.write(`${one.value?.epoch}\n`);
    // The second batch of the process is handled but its commit never comes.
    if (handled++ > 0) await new Promise(() => {});
  },
});
setInterval(() => {}, 1_000);
