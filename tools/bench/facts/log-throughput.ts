/**
 * Records per second through the Kafka log, from publish to the broker and from the broker to a group's handler, with the topic's
 * schema checked on each record. Run: `KAFKA_BROKERS=127.0.0.1:9092 npx tsx tools/bench/facts/log-throughput.ts [records]`; without
 * brokers it starts one.
 */
import { openKafkaEventLog, record } from '@millrace/eventlog';
import { type Beacon, beaconsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { startKafka } from '../../kafka/kafka.ts';

const count = Number(process.argv[2] ?? 200_000);
await using kafka = await startKafka();
const topicPrefix = `bench-${process.pid}.`;
const access = { brokers: kafka.bootstrap, topicPrefix, replication: 1 };
await using log = await openKafkaEventLog({ access, source: 'delivery-1', log: silentLogger });

const beacon = (n: number): Beacon => ({
  ...{ type: 'BeaconReceived', session_id: `ses_${n % 5_000}`, stream_id: `str_${n % 50}`, owner_id: 'own_1' },
  ...{ instance_id: 'delivery-1', at_ms: Date.now(), version: 2, mode: 'event', event: 't', state: 'p' },
  ...{ latency_ms: 1_000 + (n % 500), bitrate_kbps: 3_000, buffer_ms: 2_000, throughput_kbps: 20_000, sequence: n },
});

function report(what: string, startedMs: number, cpu: NodeJS.CpuUsage): void {
  const seconds = (performance.now() - startedMs) / 1_000;
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  process.stdout.write(
    `${what}: ${Math.round(count / seconds)} records/s, ${Math.round(count / cpuSeconds)} a CPU second of this process\n`,
  );
}

{
  const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
  const pending: Promise<void>[] = [];
  for (let n = 0; n < count; n += 500) {
    const batch = Array.from({ length: Math.min(500, count - n) }, (_, index) =>
      record(beaconsTopic, beacon(n + index)),
    );
    pending.push(log.publish(batch));
    if (pending.length >= 8) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
  report('published', startedMs, cpu);
}
{
  const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
  let handled = 0;
  let calls = 0;
  let finished: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  await using _consumer = await log.consume({
    group: 'bench',
    topics: [beaconsTopic],
    maxBatchRecords: 5_000,
    handler: async ({ records }) => {
      calls++;
      handled += records.length;
      if (handled >= count) finished();
    },
  });
  const hold = setInterval(() => {}, 1_000);
  await done;
  clearInterval(hold);
  report('handled by a group', startedMs, cpu);
  process.stdout.write(`records a handler call: ${Math.round(handled / calls)}\n`);
}
{
  const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
  let followed = 0;
  const follower = await log.follow({ topic: beaconsTopic, from: 'earliest', onRecord: () => followed++ });
  await follower.caughtUp;
  report(`followed (${followed})`, startedMs, cpu);
}
