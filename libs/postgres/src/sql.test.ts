import { expect, it } from 'vitest';
import { isRetryable, openSql } from './sql.ts';
import { createTestDatabase } from './testing.ts';

it('int8 comes as bigint and goes as bigint, exactly', async () => {
  await using db = await createTestDatabase();
  const big = 9_007_199_254_740_993n;
  const [row] = await db.sql`SELECT ${big}::int8 AS big`;
  expect(row?.['big']).toBe(big);
});

it('a statement that runs longer than its timeout is cancelled and is not worth a retry', async () => {
  await using db = await createTestDatabase();
  const sql = openSql(db.url, { applicationName: 'timeout', maxConnections: 1, statementTimeoutMs: 50 });
  const error: unknown = await sql`SELECT pg_sleep(5)`.catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: '57014' });
  expect(isRetryable(error)).toBe(false);
  await sql.end();
});

it('a server that is away and a serialisation conflict are worth a retry, a unique violation is not', async () => {
  const sql = openSql('postgres://nobody@localhost/none?host=/nonexistent', { applicationName: 'away' });
  const error: unknown = await sql`SELECT 1`.catch((caught: unknown) => caught);
  expect(isRetryable(error)).toBe(true);
  await sql.end();
  expect(isRetryable(Object.assign(new Error('conflict'), { code: '40001' }))).toBe(true);
  expect(isRetryable(Object.assign(new Error('unique'), { code: '23505' }))).toBe(false);
  expect(isRetryable(new Error('a bug'))).toBe(false);
});
