/**
 * Facts from the log until they can be asked for, on the embedded engine: a backlog from Kafka and from PostgreSQL beside a bare
 * client insert of the same rows into the same tables and views; how long a fact takes at a steady rate; and a stream's panel on
 * 20 million reports. Run: `npx tsx tools/bench/facts/warehouse.ts [--quick]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClickHouse, openEmbeddedClickHouse, runClickHouseMigrations } from '@millrace/clickhouse';
import { systemClock } from '@millrace/clock';
import { type EventLog, openKafkaEventLog, openPostgresEventLog, record } from '@millrace/eventlog';
import { type Beacon, beaconsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { rowsOf } from '../../../apps/analytics/src/core/fact-rows.ts';
import { openFactSink } from '../../../apps/analytics/src/inbound/fact-sink.ts';
import { createFactInsert } from '../../../apps/analytics/src/outbound/fact-insert.ts';
import { startKafka } from '../../kafka/kafka.ts';

const quick = process.argv.includes('--quick');
const facts = quick ? 60_000 : 1_000_000;
const reports = quick ? 1_000_000 : 20_000_000;
const deps = { log: silentLogger, clock: systemClock };
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const hold = setInterval(() => {}, 60_000);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (text: string) => void process.stdout.write(`${text}\n`);
const quantile = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1] ?? Number.NaN;

const engine = await openEmbeddedClickHouse({ ...deps, dataDir: join(dir, 'clickhouse'), memoryMb: 2_000 });
const database = async (name: string) => {
  const client = await openClickHouse({ url: engine.url, database: name, log: silentLogger });
  const migrations = new URL('../../../apps/analytics/migrations', import.meta.url).pathname;
  await runClickHouseMigrations({ client, database: name, dir: migrations });
  return client;
};
type Client = Awaited<ReturnType<typeof database>>;
const asked = async (client: Client, query: string) => {
  const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<string, unknown>>();
  return Number(Object.values(row ?? {})[0]);
};

const beacon = (n: number): Beacon => ({
  ...{ type: 'BeaconReceived', session_id: `ses_${n % 5_000}`, stream_id: `str_${n % 50}`, owner_id: 'usr_1' },
  ...{ instance_id: 'delivery-1', at_ms: Date.now(), version: 2, mode: 'event', event: 't', state: 'p' },
  ...{ latency_ms: 1_000 + (n % 500), bitrate_kbps: 3_000, buffer_ms: 2_000, throughput_kbps: 20_000, sequence: n },
});

/** Rows a second of the client alone: objects encoded by it, 10,000 at a time, nobody asks whether they are there already. */
async function bareInsert(): Promise<number> {
  const client = await database('bare');
  const made = Array.from({ length: facts }, (_, n) => beacon(n));
  const started = performance.now();
  for (let at = 0; at < facts; at += 10_000) {
    const values = made
      .slice(at, at + 10_000)
      .flatMap((value) => rowsOf({ topic: beaconsTopic.name, key: '', value }).map(({ row }) => row));
    await client.insert({ table: 'beacons', values, format: 'JSONEachRow' });
  }
  const rate = facts / ((performance.now() - started) / 1_000);
  await client.close();
  return rate;
}

async function publish(log: EventLog, count: number): Promise<void> {
  let pending: Promise<void>[] = [];
  for (let at = 0; at < count; at += 500) {
    pending.push(
      log.publish(Array.from({ length: Math.min(500, count - at) }, (_, i) => record(beaconsTopic, beacon(at + i)))),
    );
    if (pending.length >= 8) {
      await Promise.all(pending);
      pending = [];
    }
  }
  await Promise.all(pending);
}

/** Facts a second from a full log until the last can be asked for, with exact counts; and the sizes of the inserts. */
async function backlog(name: string, log: EventLog, count: number) {
  const client = await database(name);
  await publish(log, count);
  const sizes: number[] = [];
  let firstMs: number | undefined;
  const metrics = {
    inserted: (_table: string, rows: number) => {
      firstMs ??= performance.now();
      sizes.push(rows);
    },
    ...{ insertFailed: () => say('  an insert failed'), parked: () => say('  a fact was parked'), queryable: () => {} },
  };
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const sink = await openFactSink({ ...deps, eventLog: log, insert: createFactInsert(client), metrics });
  while ((await asked(client, 'SELECT sum(reports) FROM minutes')) < count) await wait(100);
  // From the first insert on: joining the group is once, a backlog is long.
  const ended = performance.now();
  const rate = (count - (sizes[0] ?? 0)) / ((ended - (firstMs ?? started)) / 1_000);
  const used = process.cpuUsage(cpu);
  const cpuMicros = (used.user + used.system) / count;
  const exact = [
    await asked(client, 'SELECT count() FROM beacons'),
    await asked(client, 'SELECT uniqExact(sequence) FROM beacons'),
    await asked(client, 'SELECT sum(reports) FROM minutes'),
  ];
  await sink[Symbol.asyncDispose]();
  await client.close();
  return {
    rate,
    median: quantile(sizes, 0.5),
    inserts: sizes.length,
    cpuMicros,
    joinS: ((firstMs ?? ended) - started) / 1_000,
    exact: exact.every((one) => one === count),
  };
}

/** Seconds from a fact to its row, at a steady 2,000 a second. */
async function delay(log: EventLog): Promise<readonly number[]> {
  const client = await database('steady');
  const seen: number[] = [];
  const metrics = { inserted: () => {}, insertFailed: () => {}, parked: () => {}, queryable: () => {} };
  const sink = await openFactSink({
    ...deps,
    eventLog: log,
    insert: createFactInsert(client),
    group: 'steady',
    metrics,
  });
  // Joining the group is no delay of facts: measured is what comes after the first row.
  await log.publish([record(beaconsTopic, beacon(0))]);
  while ((await asked(client, 'SELECT count() FROM beacons')) === 0) await wait(50);
  const until = performance.now() + (quick ? 4_000 : 20_000);
  const known = new Set<number>();
  for (let n = facts * 2; performance.now() < until; n += 200) {
    await log.publish(Array.from({ length: 200 }, (_, i) => record(beaconsTopic, beacon(n + i))));
    await wait(100);
    const query = `SELECT sequence, toUnixTimestamp64Milli(at) AS at FROM beacons WHERE sequence >= ${facts * 2} AND sequence % 200 = 0`;
    const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<{ sequence: number; at: string }>();
    for (const row of rows) {
      if (!known.has(row.sequence)) seen.push((Date.now() - Number(row.at)) / 1_000);
      known.add(row.sequence);
    }
  }
  await sink[Symbol.asyncDispose]();
  await client.close();
  return seen;
}

/** Milliseconds of a stream's panel: an hour of minutes, and the same hour from the reports themselves. */
async function panel(): Promise<{ minutes: readonly number[]; raw: readonly number[] }> {
  const client = await database('large');
  // As facts come: in the order of time, so that one insert touches few minutes of each stream. A million minutes at once
  // would need more memory in the views than a query may take.
  const step = 100_000;
  for (let at = 0; at < reports; at += step) {
    await client.command({
      query: `INSERT INTO beacons (stream_id, event, at, owner_id, session_id, instance_id, version, mode, state, latency_ms, bitrate_kbps, sequence)
        SELECT concat('str_', toString(number % 1000)), 't', now64(3) - toIntervalMillisecond(86400000 - intDiv(number * 86400000, ${reports})), 'usr_1',
          concat('ses_', toString(number % 200000)), 'delivery-1', 2, 'event', 'p', 500 + number % 4000, 3000, number
        FROM numbers(${at}, ${step})`,
      clickhouse_settings: { max_execution_time: 120 },
    });
  }
  const times = async (query: string) => {
    const ms: number[] = [];
    for (let n = 0; n < (quick ? 20 : 100); n++) {
      const started = performance.now();
      await (await client.query({ query, format: 'JSONEachRow', query_params: { stream: `str_${n * 7}` } })).json();
      ms.push(performance.now() - started);
    }
    return ms;
  };
  const minutes = await times(
    `SELECT minute, sum(reports) AS reports, uniqCombined64Merge(sessions) AS sessions, quantilesTDigestMerge(0.5, 0.95)(latency) AS latency
     FROM minutes WHERE stream_id = {stream:String} AND minute >= now() - INTERVAL 1 HOUR GROUP BY minute ORDER BY minute`,
  );
  const raw = await times(
    `SELECT toStartOfMinute(at) AS minute, count() AS reports, uniqCombined64(session_id) AS sessions, quantileTDigest(0.95)(latency_ms) AS latency
     FROM beacons WHERE stream_id = {stream:String} AND at >= now() - INTERVAL 1 HOUR GROUP BY minute ORDER BY minute`,
  );
  await client.close();
  return { minutes, raw };
}

try {
  const bare = await bareInsert();
  say(`bare client insert, 10,000 rows each        ${Math.round(bare)} rows/s`);
  {
    await using kafka = await startKafka();
    const access = { brokers: kafka.bootstrap, topicPrefix: `bench-${process.pid}.`, replication: 1 };
    await using log = await openKafkaEventLog({ access, source: 'bench', ...deps });
    const { rate, median, inserts, exact, cpuMicros, joinS } = await backlog('from_kafka', log, facts);
    const ratio = (rate / bare).toFixed(2);
    say(
      `Kafka to queryable, 12 partitions           ${Math.round(rate)} facts/s, ${ratio} of the bare insert; ${facts} facts`,
    );
    say(`  ${inserts} inserts, median ${median} rows; counts in table and view ${exact ? 'exact' : 'WRONG'}`);
    say(`  ${cpuMicros.toFixed(1)} us of this process a fact; first insert after ${joinS.toFixed(1)} s`);
    // Topics of its own: the steady rate must not wait behind the backlog.
    const steady = { ...access, topicPrefix: `steady-${process.pid}.` };
    await using other = await openKafkaEventLog({ access: steady, source: 'bench', ...deps });
    const seconds = await delay(other);
    say(
      `  at 2,000 facts/s: queryable after p50 ${quantile(seconds, 0.5).toFixed(2)} s, p95 ${quantile(seconds, 0.95).toFixed(2)} s`,
    );
  }
  {
    await using postgres = await createTestDatabase();
    await using log = await openPostgresEventLog({ ...deps, sql: postgres.sql, source: 'bench', wake: 'memory' });
    const { rate, median, inserts, exact } = await backlog('from_postgres', log, facts / 10);
    say(
      `PostgreSQL log to queryable                 ${Math.round(rate)} facts/s, ${(rate / bare).toFixed(2)} of the bare insert; ${facts / 10} facts`,
    );
    say(`  ${inserts} inserts, median ${median} rows; counts in table and view ${exact ? 'exact' : 'WRONG'}`);
  }
  const { minutes, raw } = await panel();
  for (const [what, ms] of [
    ['minutes', minutes],
    ['reports', raw],
  ] as const)
    say(
      `panel of a stream from ${what}, ${reports / 1e6} M reports  p50 ${quantile(ms, 0.5).toFixed(1)} ms, p95 ${quantile(ms, 0.95).toFixed(1)} ms`,
    );
} finally {
  await engine[Symbol.asyncDispose]();
  clearInterval(hold);
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
