/** The time a question may take, against a server that does not keep to it. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openClickHouse } from '@millrace/clickhouse';
import { ManualClock } from '@millrace/clock/testing';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { expect, it } from 'vitest';
import { createAnalyticsMetrics } from '../metrics.ts';
import { createClickHouseWarehouse } from './clickhouse-warehouse.ts';

const limits = { maxSeconds: 60, maxMemoryBytes: 1_000_000, maxRows: 10 };
const query = { sql: 'SELECT 1', params: {} };
const never = new AbortController().signal;

async function against(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://default:x@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = await openClickHouse({ url, database: 'default', log: silentLogger, requestTimeoutMs: 0 });
  const clock = new ManualClock();
  const metrics = createAnalyticsMetrics(openMetricsRegistry({ processMetrics: false }));
  const warehouse = createClickHouseWarehouse({ client, log: silentLogger, metrics, clock });
  return {
    ...{ warehouse, clock },
    async [Symbol.asyncDispose]() {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('a server that says nothing is away when the time of the question is over, and not before', async () => {
  let asked = 0;
  await using rig = await against(() => void asked++);
  const { warehouse, clock } = rig;
  const [rows, bytes] = [warehouse.rows(query, limits), warehouse.bytes(query, 'CSVWithNames', limits, never)];
  await expect.poll(() => asked, { timeout: 5_000 }).toBe(2);
  await clock.advance(69_999);
  const waiting = Promise.resolve('still waiting');
  expect(await Promise.race([rows, bytes, waiting])).toBe('still waiting');
  await clock.advance(1);
  const away = { ok: false, error: { kind: 'away', message: expect.stringContaining('70 s') } };
  expect(await Promise.all([rows, bytes])).toMatchObject([away, away]);
  expect(clock.pending).toBe(0);
});

it('an export is read as slowly as its statement may take, and ends then', async () => {
  await using rig = await against((_, response) => void response.writeHead(200).write('a\n1\n'));
  const { warehouse, clock } = rig;
  const opened = await warehouse.bytes(query, 'CSVWithNames', limits, never);
  if (!opened.ok) throw new Error(opened.error.message);
  const reader = opened.value.getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('a\n1\n');
  await clock.advance(69_999);
  const rest = reader.read().then(
    () => 'more',
    (error: unknown) => String(error),
  );
  expect(await Promise.race([rest, Promise.resolve('still open')])).toBe('still open');
  await clock.advance(1);
  expect(await rest).toContain('70 s');
  expect(clock.pending).toBe(0);
});

it('what was answered, or given up by its reader, holds no timer', async () => {
  await using rig = await against((_, response) => void response.writeHead(200).end('{"a":1}\n'));
  const { warehouse, clock } = rig;
  expect(await warehouse.rows(query, limits)).toEqual({ ok: true, value: [{ a: 1 }] });
  const left = await warehouse.bytes(query, 'CSVWithNames', limits, never);
  if (left.ok) await left.value.cancel();
  await expect.poll(() => clock.pending, { timeout: 5_000 }).toBe(0);
});
