/**
 * What @clickhouse/client needs of ClickHouse's HTTP interface. Runs against the embedded engine, and against the server that
 * CLICKHOUSE_TEST_URL names: what holds for one must hold for the other.
 */
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { silentLogger } from '@millrace/log';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClickHouse } from './client.ts';
import { createTestClickHouse, type TestClickHouse } from './testing.ts';

let clickhouse: TestClickHouse;
let client: ClickHouseClient;
beforeAll(async () => {
  clickhouse = await createTestClickHouse();
  client = clickhouse.client;
  await client.command({ query: 'CREATE TABLE numbers_kept (a UInt64, s String) ENGINE = MergeTree ORDER BY a' });
});
afterAll(async () => clickhouse[Symbol.asyncDispose]());

const rows = async <T>(query: string, more: object = {}) =>
  (await client.query({ query, format: 'JSONEachRow', ...more })).json<T>();
const kept = async () => Number((await rows<{ c: string }>('SELECT count() AS c FROM numbers_kept'))[0]?.c);
const origin = () => new URL(clickhouse.url);
/** A plain request, with the credentials of the URL. */
function request(search: string, init: RequestInit = {}): Promise<Response> {
  const { username, password, host, protocol } = origin();
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  const url = `${protocol}//${host}/?${search}&database=${clickhouse.database}`;
  return fetch(url, { ...init, headers: { authorization, ...init.headers } });
}
const failure = async (work: Promise<unknown>): Promise<{ code: string; type: string | undefined }> => {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClickHouseError);
  const { code, type } = error as ClickHouseError;
  return { code, type };
};

describe('the HTTP interface', () => {
  it('answers pings without a password, and nothing else', async () => {
    const { host } = origin();
    expect(await (await fetch(`http://${host}/ping`)).text()).toBe('Ok.\n');
    const refused = await fetch(`http://${host}/?query=SELECT+1`, { headers: { 'x-clickhouse-key': 'wrong' } });
    expect([401, 403]).toContain(refused.status);
    expect(await client.ping()).toEqual({ success: true });
  });

  it('takes the query in the URL or in the body, and names format, query and summary in its headers', async () => {
    const answer = await request('query_id=q1', { method: 'POST', body: 'SELECT 1 AS a FORMAT JSON' });
    expect(await answer.json()).toMatchObject({ data: [{ a: 1 }] });
    expect(answer.headers.get('x-clickhouse-query-id')).toBe('q1');
    expect(answer.headers.get('x-clickhouse-format')).toBe('JSON');
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '')).toHaveProperty('read_rows');
    expect(await (await request('query=SELECT+1,+2')).text()).toBe('1\t2\n');
    expect(await (await request('query=SELECT+1&default_format=CSVWithNames')).text()).toBe('"1"\n1\n');
  });

  it('changes nothing by GET', async () => {
    expect((await request('query=DROP+TABLE+numbers_kept')).status).toBe(403);
  });

  it('binds parameters by type, whatever characters they hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.array(fc.string({ maxLength: 5 })),
        async (s, a) => {
          fc.pre(!/[\0\ud800-\udfff]/.test(s + a.join('')));
          const [row] = await rows('SELECT {s:String} AS s, {a:Array(String)} AS a', { query_params: { s, a } });
          expect(row).toEqual({ s, a });
        },
      ),
      { numRuns: 15 },
    );
    const long = 'x'.repeat(100_000);
    const query = 'SELECT length({s:String}) AS n';
    expect(await rows(query, { query_params: { s: long }, use_multipart_params: true })).toEqual([{ n: 100_000 }]);
  });

  it('applies settings to one query only', async () => {
    const query = "SELECT getSetting('max_threads') AS n";
    expect(await rows(query, { clickhouse_settings: { max_threads: '1' } })).toEqual([{ n: 1 }]);
    expect(await failure(rows('SELECT 1', { clickhouse_settings: { no_such_setting: '1' } }))).toMatchObject({
      code: '115',
    });
    const readonly = { clickhouse_settings: { readonly: '1' } };
    expect(await failure(rows("SELECT * FROM file('/etc/hostname')", readonly))).toMatchObject({
      code: expect.stringMatching(/164|497/),
    });
    expect((await failure(client.command({ query: 'DROP TABLE numbers_kept', ...readonly }))).code).toBe('164');
  });

  it('may be silent before and within an answer, to a client that sets no limit to silence', async () => {
    const open = (requestTimeoutMs: number) => {
      const { database, url } = clickhouse;
      return openClickHouse({ url, database, log: silentLogger, requestTimeoutMs });
    };
    const [hasty, patient] = [await open(300), await open(0)];
    const late = { query: 'SELECT sleep(1) AS a FORMAT CSV' };
    /** Takes some of a long answer, and the rest after a while. */
    const slowly = async (from: ClickHouseClient) => {
      const { stream } = await from.exec({
        query: 'SELECT number, randomPrintableASCII(100) FROM numbers(400000) FORMAT CSV',
      });
      let bytes = 0;
      let paused = false;
      for await (const piece of stream) {
        bytes += (piece as Uint8Array).byteLength;
        if (!paused) await new Promise((resolve) => setTimeout(resolve, 1_000));
        paused = true;
      }
      return bytes;
    };
    try {
      await expect(hasty.exec(late)).rejects.toThrow(/timeout/i);
      await expect(slowly(hasty)).rejects.toThrow();
      const { stream } = await patient.exec(late);
      expect(Buffer.concat(await stream.toArray()).toString()).toBe('0\n');
      expect(await slowly(patient)).toBeGreaterThan(40_000_000);
    } finally {
      await Promise.all([hasty.close(), patient.close()]);
    }
  });

  it('fails with the code and the type of the server', async () => {
    expect(await failure(rows('SELECT nosuch'))).toEqual({ code: '47', type: 'UNKNOWN_IDENTIFIER' });
    expect(await failure(rows('SELECT * FROM nosuch'))).toEqual({ code: '60', type: 'UNKNOWN_TABLE' });
    expect(await failure(rows('SELEC'))).toEqual({ code: '62', type: 'SYNTAX_ERROR' });
    expect(await failure(rows("SELECT 1 INTO OUTFILE '/tmp/x'"))).toMatchObject({ type: 'INTO_OUTFILE_NOT_ALLOWED' });
    const slow = 'SELECT count() FROM numbers(100000000000) WHERE NOT ignore(sipHash64(number))';
    expect(await failure(rows(slow, { clickhouse_settings: { max_execution_time: 1 } }))).toMatchObject({
      code: '159',
    });
    const greedy = 'SELECT uniqExact(number) FROM numbers(10000000)';
    expect(await failure(rows(greedy, { clickhouse_settings: { max_memory_usage: '5000000' } }))).toMatchObject({
      code: '241',
    });
    const gone = await request('', { method: 'POST', body: 'SELECT nosuch' });
    expect([gone.status, gone.headers.get('x-clickhouse-exception-code')]).toEqual([404, '47']);
  });

  it('tells of an error in the middle of a result', async () => {
    const query = "SELECT number, throwIf(number = 900000, 'boom') FROM numbers(2000000)";
    const streamed = async () => {
      const result = await client.query({
        query,
        format: 'JSONEachRow',
        clickhouse_settings: { max_block_size: '1000' },
      });
      for await (const _ of result.stream());
    };
    expect(await failure(streamed())).toEqual({ code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' });
    // A reader that knows nothing of that must at least not take it for whole.
    const plain = request('enable_http_compression=1', { method: 'POST', body: `${query} FORMAT JSONEachRow` });
    await expect(plain.then((answer) => answer.text())).rejects.toThrow();
    // Asked to wait for the end, it gets a status.
    expect((await request('wait_end_of_query=1', { method: 'POST', body: query })).status).toBe(500);
  });

  it('takes rows in any format and compression, and gives results so', async () => {
    const before = await kept();
    const line = '{"a":1,"s":"x"}\n';
    const bodies: readonly (readonly [string, Buffer])[] = [
      ['identity', Buffer.from(line)],
      ['gzip', gzipSync(line)],
      ['deflate', deflateSync(line)],
      ['br', brotliCompressSync(line)],
    ];
    for (const [encoding, body] of bodies) {
      const headers = { 'content-encoding': encoding };
      const answer = await request('query=INSERT+INTO+numbers_kept+FORMAT+JSONEachRow', {
        method: 'POST',
        body: new Uint8Array(body),
        headers,
      });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ written_rows: '1' });
    }
    for (const format of ['Native', 'Parquet', 'RowBinary', 'CSVWithNames', 'TabSeparated']) {
      const made = await request('enable_http_compression=1', {
        method: 'POST',
        body: `SELECT toUInt64(1) AS a, 'q"\n' AS s FORMAT ${format}`,
      });
      const body = new Uint8Array(await made.arrayBuffer());
      const put = await request(`query=INSERT+INTO+numbers_kept+FORMAT+${format}`, { method: 'POST', body });
      expect([format, put.status]).toEqual([format, 200]);
    }
    await client.command({ query: "INSERT INTO numbers_kept VALUES (7, 'it''s; -- no'), (8, 'r')" });
    expect(
      (await request('query=INSERT+INTO+numbers_kept+FORMAT+JSONEachRow', { method: 'POST', body: '' })).status,
    ).toBe(200);
    expect(await kept()).toBe(before + 4 + 5 + 2);
    const bad = client.insert({ table: 'numbers_kept', values: [{ a: 'x' }], format: 'JSONEachRow' });
    expect(await failure(bad)).toMatchObject({ code: '27' });
  });

  it('takes an insert as a stream, and one larger than its memory for bodies', { timeout: 40_000 }, async () => {
    const before = await kept();
    const line = `${JSON.stringify({ a: 5, s: 'y'.repeat(2_000) })}\n`.repeat(100);
    const times = 360; // 72 MB
    const values = Readable.from(
      (function* () {
        for (let n = 0; n < times; n++) yield Buffer.from(line);
      })(),
      { objectMode: false },
    );
    const query = 'INSERT INTO numbers_kept FORMAT JSONEachRow';
    const { stream } = await client.exec({ query, values, clickhouse_settings: { max_insert_block_size: '1000000' } });
    for await (const _ of stream);
    expect(await kept()).toBe(before + times * 100);
  });

  it('counts an insert with a known token once, in the view as well', async () => {
    const window = 'SETTINGS non_replicated_deduplication_window = 100';
    await client.command({ query: `CREATE TABLE facts (n UInt64) ENGINE = MergeTree ORDER BY n ${window}` });
    await client.command({
      query: `CREATE TABLE sums (n UInt64) ENGINE = SummingMergeTree ORDER BY tuple() ${window}`,
    });
    await client.command({ query: 'CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT sum(n) AS n FROM facts' });
    const put = (token: string) =>
      client.insert({
        ...{ table: 'facts', values: [{ n: 1 }, { n: 2 }], format: 'JSONEachRow' as const },
        clickhouse_settings: {
          insert_deduplication_token: token,
          deduplicate_blocks_in_dependent_materialized_views: 1,
          async_insert: 0,
        },
      });
    for (const token of ['one', 'one', 'two', 'one']) await put(token);
    expect(await rows('SELECT (SELECT count() FROM facts) AS c, (SELECT sum(n) FROM sums) AS s')).toEqual([
      { c: 4, s: 6 },
    ]);
  });

  it('holds a result back while its reader does not read, and answers others meanwhile', async () => {
    const big = await client.query({ query: 'SELECT number FROM numbers(20000000)', format: 'JSONEachRow' });
    const started = performance.now();
    expect(await rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await client.ping()).toEqual({ success: true });
    expect(performance.now() - started).toBeLessThan(5_000);
    big.close();
    await quiet();
  });

  it('stops a query whose client went away', async () => {
    const abort = new AbortController();
    const query = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))';
    const asked = client.query({ query, abort_signal: abort.signal });
    asked.catch(() => {});
    await expect.poll(() => busy()).toBeGreaterThan(0);
    abort.abort();
    await expect(asked).rejects.toThrow(/aborted/);
    await quiet();
  });

  it('answers pings and inserts while heavy queries run', async () => {
    const abort = new AbortController();
    const query = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))';
    const heavy = Array.from({ length: 4 }, () =>
      client.query({ query, abort_signal: abort.signal, clickhouse_settings: { max_threads: 1 } }).catch(() => {}),
    );
    await expect.poll(() => busy(), { timeout: 10_000 }).toBeGreaterThan(3);
    const before = performance.now();
    expect(await client.ping()).toEqual({ success: true });
    await client.insert({ table: 'numbers_kept', values: [{ a: 1, s: '' }], format: 'JSONEachRow' });
    expect(performance.now() - before).toBeLessThan(5_000);
    abort.abort();
    await Promise.all(heavy);
    await quiet();
  });
});

/** Queries that run in this database, without the one that asks. */
async function busy(): Promise<number> {
  const admin = createClient({ url: clickhouse.url });
  try {
    const query = `SELECT count() AS c FROM system.processes WHERE query NOT LIKE '%system.processes%'`;
    return Number((await (await admin.query({ query, format: 'JSONEachRow' })).json<{ c: string }>())[0]?.c);
  } finally {
    await admin.close();
  }
}
const quiet = () => expect.poll(() => busy(), { timeout: 10_000 }).toBe(0);
