/** A process for the crash test: writes facts as fast as it can and prints the number of each that was acknowledged. */
import { liveStreamsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openFactWriter } from './spool-fact-writer.ts';

const dir = process.argv[2] ?? '';
const first = Number(process.argv[3]);
const eventLog = { publish: () => Promise.reject(new Error('the log is away')) };
const writer = await openFactWriter({ dir, eventLog, service: 'ingest', log: silentLogger, segmentBytes: 20_000 });
const common = { stream_id: 'str_1', owner_id: 'own_1', publish_id: 'pub_1', instance_id: writer.instanceId };
for (let n = first; ; n++) {
  const fact = { ...common, type: 'StreamInterrupted' as const, epoch: n, at_ms: n, reason: 'test', window_ms: 1 };
  // Not awaited one by one: several wait for one fsync.
  void writer.fact(liveStreamsTopic, fact).then(() => process.stdout.write(`${n}\n`));
  if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
}
