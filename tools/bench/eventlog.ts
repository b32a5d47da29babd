/**
 * The event log in one process on embedded PostgreSQL, as standalone runs it: idle CPU, publish -> consumer latency,
 * throughput, and the CPU of 30 streams' health samples. Run: `npx tsx tools/bench/eventlog.ts`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFactWriter, openPostgresEventLog, record } from '@millrace/eventlog';
import { healthTopic, liveStreamsTopic, streamKeysTopic, streamsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openEmbeddedPostgres } from '@millrace/postgres';

const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const hold = setInterval(() => {}, 60_000);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** CPU seconds of PostgreSQL's processes so far (they are children of the postmaster). */
function postgresCpu(postmaster: number): number {
  const ticks = (pid: number) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  };
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ');
  return [postmaster, ...children.filter(Boolean).map(Number)].reduce((sum, pid) => sum + ticks(pid), 0) / 100;
}

/** Percent of a core that this process and PostgreSQL take over `ms`. */
async function cpuOver(postmaster: number, ms: number): Promise<string> {
  const [node, server] = [process.cpuUsage(), postgresCpu(postmaster)];
  await wait(ms);
  const used = process.cpuUsage(node);
  const nodePercent = (used.user + used.system) / 1000 / ms;
  const serverPercent = ((postgresCpu(postmaster) - server) * 1000) / ms;
  return `node ${(nodePercent * 100).toFixed(2)} %, postgres ${(serverPercent * 100).toFixed(2)} %`;
}

const quantile = (values: number[], q: number) =>
  (values.sort((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? Number.NaN).toFixed(2);

const postgres = await openEmbeddedPostgres({ dataDir: join(dir, 'pg'), log: silentLogger });
const eventLog = await openPostgresEventLog({
  ...{ url: postgres.connectionUrl, source: 'bench', log: silentLogger, wake: 'memory' },
});
const facts = await openFactWriter({ dir: join(dir, 'spool'), eventLog, service: 'ingest', log: silentLogger });
const tables = [eventLog.table(streamsTopic), eventLog.table(streamKeysTopic)];
await Promise.all(tables.map((table) => table.ready));

const arrivals = new Map<number, (atMs: number) => void>();
let handled = 0;
await eventLog.consume({
  group: 'bench',
  topics: [liveStreamsTopic],
  handler: async (batch) => {
    handled += batch.records.length;
    for (const one of batch.records) arrivals.get(one.value?.epoch ?? 0)?.(performance.now());
  },
});
await eventLog.consume({ group: 'health', topics: [healthTopic], handler: async () => {} });
await wait(3_000);
console.log(`idle (2 groups, 2 tables, InstanceSeen): ${await cpuOver(postgres.pid, 15_000)}`);

const fact = (epoch: number) => ({
  ...{ type: 'StreamInterrupted' as const, stream_id: `str_${epoch % 30}`, owner_id: 'own_1', publish_id: 'pub_1' },
  ...{ instance_id: 'ingest-1', epoch, at_ms: Date.now(), reason: 'bench', window_ms: 1 },
});
const latencies: Record<'publish' | 'fact', number[]> = { publish: [], fact: [] };
for (let n = 1; n <= 600; n++) {
  const kind = n % 2 === 0 ? 'publish' : 'fact';
  const arrived = new Promise<number>((resolve) => arrivals.set(n, resolve));
  const start = performance.now();
  if (kind === 'publish') await eventLog.publish([record(liveStreamsTopic, fact(n))]);
  else await facts.fact(liveStreamsTopic, fact(n));
  latencies[kind].push((await arrived) - start);
}
for (const [kind, values] of Object.entries(latencies)) {
  console.log(
    `${kind} -> handler, ms: p50 ${quantile(values, 0.5)}, p95 ${quantile(values, 0.95)}, p99 ${quantile(values, 0.99)}`,
  );
}

for (const size of [1, 100]) {
  const calls = size === 1 ? 5_000 : 500;
  const before = handled;
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next++ < calls)
      await eventLog.publish(Array.from({ length: size }, (_, n) => record(liveStreamsTopic, fact(1e6 + n))));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const publishedMs = performance.now() - start;
  while (handled - before < calls * size) await wait(5);
  const handledMs = performance.now() - start;
  const rate = (ms: number) => Math.round((calls * size * 1000) / ms);
  console.log(`16 writers, ${size} record(s) a call: ${rate(publishedMs)} published/s, ${rate(handledMs)} handled/s`);
}

const samples = setInterval(() => {
  for (let n = 0; n < 30; n++) {
    facts.sample(healthTopic, {
      ...{
        stream_id: `str_${n}`,
        epoch: 1,
        at_ms: Date.now(),
        state: 'live',
        video_bps: 2_500_000,
        audio_bps: 128_000,
      },
      ...{ frames_per_second: 30, keyframe_interval_s: 2, timestamp_gaps: 0, warnings: [] },
    });
  }
}, 1_000);
await wait(2_000);
console.log(`health of 30 streams: ${await cpuOver(postgres.pid, 15_000)}`);
clearInterval(samples);

for (const table of tables) await table[Symbol.asyncDispose]();
await facts[Symbol.asyncDispose]();
await eventLog[Symbol.asyncDispose]();
await postgres[Symbol.asyncDispose]();
rmSync(dir, { recursive: true, force: true });
clearInterval(hold);
