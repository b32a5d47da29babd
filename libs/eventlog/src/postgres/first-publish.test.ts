import { signingKeysTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { expect, it } from 'vitest';
import { record } from '../new-record.ts';
import { openPostgresEventLog } from './postgres-event-log.ts';

it('the first publish of a new database may join a transaction', async () => {
  await using db = await createTestDatabase();
  await using log = await openPostgresEventLog({ url: db.url, source: 'test', log: silentLogger, wake: 'memory' });
  const key = { kid: 'k1', public_jwk: {}, created_at_ms: 1 };
  await db.sql.begin((tx) => log.publishIn(tx, [record(signingKeysTopic, key)]));
  await using table = log.table(signingKeysTopic);
  await table.ready;
  expect(table.get('k1') ?? (await new Promise((done) => table.onChange((_, value) => done(value))))).toEqual(key);
});
