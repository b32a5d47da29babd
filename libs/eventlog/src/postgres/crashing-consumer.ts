/** A process for the crash test: a group member that says what it handles and hangs in the middle of the first batch. */
import { liveStreamsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openPostgresEventLog } from './postgres-event-log.ts';

const log = await openPostgresEventLog({
  url: process.argv[2] ?? '',
  source: 'crash',
  log: silentLogger,
  groupLeaseMs: 1_500,
});
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
let handled = 0;
setInterval(() => {}, 1_000);
