/** What callers get when ClickHouse is away or a question is too much for it, and what an export costs that nobody reads. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, get as request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTestAnalytics, type TestAnalytics } from '../testing.ts';

const owner = 'own_01jd4000000000000000000001';
const rows = 150_000;
const at = '/api/v1/analytics';
const exportPath = `${at}/export?dataset=ingest&from=${new Date(Date.now() - 3_600_000).toISOString()}`;

let analytics: TestAnalytics;
let token: string;
let front: Server;

beforeAll(async () => {
  analytics = await openTestAnalytics({ settings: { ANALYTICS_QUERY_SECONDS: 3, ANALYTICS_MAX_EXPORTS: 1 } });
  token = await analytics.tokenOf('analyst', owner);
  const { stream_id } = await analytics.addStream(owner, 'mill');
  await analytics.untilCount('SELECT count() FROM streams', 1);
  // 400 bytes each in the file, and next to nothing in the minutes they are folded into
  await analytics.warehouse.client.command({
    query: `INSERT INTO ingest_health (stream_id, at, epoch, state, video_bps, warnings)
SELECT {stream:String}, now64(3) - INTERVAL 60 SECOND, 1, 'live', number, [repeat('a', 380)] FROM numbers({rows:UInt32})`,
    query_params: { stream: stream_id, rows },
  });
  front = createServer((incoming, response) => analytics.service.publicMounts[0]?.handle(incoming, response));
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
}, 60_000);
afterAll(async () => {
  front.closeAllConnections();
  front.close();
  await analytics[Symbol.asyncDispose]();
});

/** An export over a socket, with nothing of its body taken yet. */
async function beginExport(): Promise<IncomingMessage> {
  const { port } = front.address() as AddressInfo;
  const headers = { authorization: `Bearer ${token}` };
  const [response] = (await once(request({ port, host: '127.0.0.1', path: exportPath, headers }), 'response')) as [
    IncomingMessage,
  ];
  expect(response.statusCode).toBe(200);
  return response;
}

async function exportsOpen(): Promise<number> {
  const text = await analytics.metrics.metrics();
  return Number(/^millrace_analytics_exports_open (\d+)$/m.exec(text)?.[1]);
}

/** Exports that the engine is at. */
async function exportsRunning(): Promise<number> {
  const query =
    "SELECT count() AS n FROM system.processes WHERE query LIKE '%v_ingest%' AND query NOT LIKE '%processes%'";
  const [row] = await (await analytics.warehouse.client.query({ query, format: 'JSONEachRow' })).json<{ n: number }>();
  return Number(row?.n);
}

/** Of buffers in this process, which has the service and the reader. */
const megabytesHeld = () => process.memoryUsage().external / 1e6;
const ask = (query = 'SELECT count() FROM v_streams') =>
  analytics.call<{ detail: string }>('POST', `${at}/sql`, token, { query });
const within = { timeout: 15_000, interval: 50 };

describe('an export', () => {
  it('waits for a slow reader in bounded memory, beside other questions, and is whole in the end', {
    timeout: 30_000,
  }, async () => {
    const before = megabytesHeld();
    const response = await beginExport();
    // Taking it all in would take a part of this second; the engine has to wait instead.
    const endedMeanwhile = vi.waitFor(async () => expect(await exportsRunning()).toBe(0), { timeout: 1_000 });
    await expect(endedMeanwhile).rejects.toThrow();
    expect(megabytesHeld() - before).toBeLessThan(16);
    expect(await exportsOpen()).toBe(1);
    expect((await ask()).status).toBe(200);
    const second = await analytics.call<{ detail: string }>('GET', exportPath, token);
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '10']);
    expect(second.body.detail).toContain('at most 1 exports');
    let bytes = 0;
    let lines = 0;
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length;
      for (let i = piece.indexOf(10); i >= 0; i = piece.indexOf(10, i + 1)) lines++;
    }
    expect(response.complete).toBe(true);
    expect(lines).toBe(rows + 1);
    expect(bytes).toBeGreaterThan(48_000_000);
    await vi.waitFor(async () => expect(await exportsOpen()).toBe(0), within);
  });

  it('ends in the engine, and makes place for another, when its reader goes away', async () => {
    const response = await beginExport();
    expect(await exportsRunning()).toBe(1);
    response.destroy();
    await vi.waitFor(async () => expect([await exportsRunning(), await exportsOpen()]).toEqual([0, 0]), within);
  });
});

describe('a question that takes longer than it may', () => {
  it('is stopped with a 504 that says what to narrow', async () => {
    const numbers = 'SELECT arrayJoin(range(1000000)) AS';
    const query = `SELECT count() FROM (${numbers} x) AS a, (${numbers} y) AS b WHERE (x * y) % 7 = 3`;
    const answer = await ask(query);
    expect(answer.status, answer.text).toBe(504);
    expect(answer.body.detail).toContain('stopped by its time limit: ask for a shorter range');
    expect((await ask()).status).toBe(200);
  });
});

describe('a ClickHouse that is killed', () => {
  it('breaks an export off visibly, and questions get 503 until it is back', async () => {
    const response = await beginExport();
    process.kill(analytics.warehouse.pid ?? 0, 'SIGKILL');
    const away = await ask();
    expect([away.status, away.headers.get('retry-after')], away.text).toEqual([503, '5']);
    expect(away.body.detail).toContain('ClickHouse does not answer');
    // What is live comes from the log.
    expect((await analytics.call('GET', `${at}/live`, token)).status).toBe(200);
    const read = async () => {
      for await (const _ of response) {
        // only its end matters
      }
    };
    await expect(read()).rejects.toThrow();
    expect(response.complete).toBe(false);
    await vi.waitFor(async () => expect(await exportsOpen()).toBe(0), within);
    await vi.waitFor(async () => expect((await ask()).status).toBe(200), within);
  });
});
