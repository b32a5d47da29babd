import { analyticsMetrics } from '@millrace/api';
import { runClickHouseMigrations } from '@millrace/clickhouse';
import { createTestClickHouse, type TestClickHouse } from '@millrace/clickhouse/testing';
import { beaconsTopic, viewerSessionsTopic } from '@millrace/events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from '../src/core/fact-rows.ts';
import { type MetricRow, metricQueries } from '../src/core/metric-answers.ts';
import type { Question, ViewerFilter } from '../src/core/viewer-filter.ts';
import { modelLatencies, modelMetrics, modelSessions, modelSwitches } from './metric-model.ts';
import { factsArbitrary, type GeneratedFacts, live, nowMs, startMs } from './viewer-facts.ts';

const stepMs = 300_000;
const toMs = startMs + 3 * stepMs;
const buckets = { fromMs: startMs, toMs, stepMs, count: 3 };

let engine: TestClickHouse;
beforeAll(async () => {
  engine = await createTestClickHouse();
  const dir = new URL('../migrations', import.meta.url).pathname;
  await runClickHouseMigrations({ client: engine.client, database: engine.database, dir });
}, 60_000);
afterAll(async () => engine[Symbol.asyncDispose]());

/** Facts into their tables: joins and leaves in several inserts and out of order, some twice. */
async function insert({ viewers, beacons }: GeneratedFacts): Promise<void> {
  const rows = (topic: string, values: readonly unknown[]) =>
    values.flatMap((value) => rowsOf({ topic, key: '', value }).map(({ row }) => row));
  const told = rows(viewerSessionsTopic.name, viewers).reverse();
  const half = Math.ceil(told.length / 2);
  const batches: [string, readonly unknown[]][] = [
    ['beacons', rows(beaconsTopic.name, beacons)],
    ['viewer_events', told.slice(0, half)],
    ['viewer_events', told.slice(half - 1)],
  ];
  for (const [table, values] of batches) {
    if (values.length === 0) continue;
    // without deduplication: the doubled fact is to arrive twice
    const clickhouse_settings = { insert_deduplicate: 0 as const, async_insert: 0 as const };
    await engine.client.insert({ table, values, format: 'JSONEachRow', clickhouse_settings });
  }
}

async function ask(
  question: Question,
  by?: Parameters<typeof metricQueries>[2],
  metrics = analyticsMetrics as readonly (typeof analyticsMetrics)[number][],
) {
  return Promise.all(
    metricQueries(question, metrics, by).map(async ({ sql, params }) => {
      const settings = { output_format_json_quote_64bit_integers: 0 as const };
      const result = await engine.client.query({
        query: sql,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: settings,
      });
      return result.json<MetricRow>();
    }),
  );
}

function question(filter: ViewerFilter): Question {
  return { buckets, filter, nowMs, live };
}

const filterKind = fc.constantFrom('owner', 'stream', 'country', 'device');

async function check(facts: GeneratedFacts, kind: string): Promise<void> {
  const first = facts.viewers[0];
  const filter: ViewerFilter = {
    ownerId: first?.owner_id,
    ...(kind === 'stream' ? { streamId: first?.stream_id } : {}),
    ...(kind === 'country' ? { country: 'DE' } : {}),
    ...(kind === 'device' ? { device: 'unknown' } : {}),
  };
  const asked = question(filter);
  const tables = await ask(asked);
  const sessions = modelSessions(facts.viewers, facts.beacons, asked);
  for (let bucket = 0; bucket < 3; bucket++) {
    const start = startMs + bucket * stepMs;
    const row = Object.assign({}, ...tables.map((table) => table[bucket] ?? {})) as MetricRow;
    const expected = {
      ...modelMetrics(sessions, start, start + stepMs),
      rendition_switches: modelSwitches(sessions, [startMs, toMs], start, start + stepMs),
    };
    for (const [metric, value] of Object.entries(expected)) expectEqual(row[metric], value, `${metric} in ${bucket}`);
    expectPercentiles(row, modelLatencies(sessions, start, start + stepMs));
  }
}

let runs = 0;
const tag = () => `${runs++}`;

describe('the metrics of ClickHouse', () => {
  it('are those of docs/metrics.md counted by hand, in every bucket and for every filter', async () => {
    // owners by the handful: an insert costs more than its rows
    const handful = fc.array(fc.tuple(factsArbitrary(tag), filterKind), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(handful, async (owners) => {
        await insert({
          viewers: owners.flatMap(([facts]) => facts.viewers),
          beacons: owners.flatMap(([facts]) => facts.beacons),
        });
        await Promise.all(owners.map(([facts, kind]) => check(facts, kind)));
      }),
      { numRuns: 5 },
    );
  }, 120_000);

  it('break down into what each group has by itself', async () => {
    await fc.assert(
      fc.asyncProperty(factsArbitrary(tag), async (facts) => {
        await insert(facts);
        const ownerId = facts.viewers[0]?.owner_id ?? '';
        const whole = {
          ...question({ ownerId }),
          buckets: { fromMs: startMs, toMs, stepMs: toMs - startMs, count: 1 },
        };
        for (const metric of ['watch_time_s', 'viewers', 'bitrate_kbps'] as const) {
          const [rows = []] = await ask(whole, { dimension: 'device', limit: 10 }, [metric]);
          for (const row of rows) {
            const device = String(row['key']);
            const sessions = modelSessions(facts.viewers, facts.beacons, { ...whole, filter: { ownerId, device } });
            expectEqual(row[metric], modelMetrics(sessions, startMs, toMs)[metric] ?? null, `${metric} of ${device}`);
          }
        }
      }),
      { numRuns: 2 },
    );
  }, 60_000);
});

function expectEqual(got: unknown, expected: number | null, what: string): void {
  if (expected === null || got === null || got === undefined) expect(got ?? null, what).toBe(expected);
  else expect(got, what).toBeCloseTo(expected, 6);
}

/** A t-digest may answer between two neighbours: one rank to each side is its tolerance at this size. */
function expectPercentiles(row: MetricRow, sorted: readonly number[]): void {
  for (const [metric, level] of [
    ['live_latency_ms', 0.5],
    ['live_latency_p95_ms', 0.95],
  ] as const) {
    if (sorted.length === 0) {
      expect(row[metric] ?? null).toBeNull();
      continue;
    }
    const rank = level * (sorted.length - 1);
    expect(row[metric]).toBeGreaterThanOrEqual(sorted[Math.max(0, Math.floor(rank) - 1)] ?? 0);
    expect(row[metric]).toBeLessThanOrEqual(sorted[Math.min(sorted.length - 1, Math.ceil(rank) + 1)] ?? 0);
  }
}
