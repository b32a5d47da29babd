import { silentLogger } from '@millrace/log';
import { openSql } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { afterAll, beforeAll } from 'vitest';
import type { EventLog } from '../event-log.ts';
import { defineEventLogContract } from '../event-log-contract.ts';
import { StoreEventLog } from '../store-event-log.ts';
import { openPostgresEventLog } from './postgres-event-log.ts';
import { retainOnce } from './retention.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

for (const wake of ['memory', 'notify'] as const) {
  defineEventLogContract(`the PostgreSQL log (wake by ${wake})`, async () => {
    const logs: { log: EventLog; sql: ReturnType<typeof openSql> }[] = [];
    return {
      openLog: async () => {
        const sql = openSql(db.url, { applicationName: 'contract', maxConnections: 4 });
        // Short, so that take-overs are quick; long enough for a machine that is busy with other tests.
        const timing = { pollMs: 100, takeOverMs: 50, groupLeaseMs: 1_500 };
        const log = await openPostgresEventLog({ sql, source: 'contract', log: silentLogger, wake, ...timing });
        logs.push({ log, sql });
        return log;
      },
      kill: async (log) => {
        // Its connections die under it and it cannot come back: nothing is committed, no group is left.
        const entry = logs.find((one) => one.log === log);
        if (!(log instanceof StoreEventLog) || entry === undefined) throw new Error('expected a log of this harness');
        await entry.sql.end({ timeout: 0 });
        await log[Symbol.asyncDispose]();
      },
      retain: async (_topics, nowMs) => {
        while ((await retainOnce(db.sql, nowMs)) > 0);
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(logs.map(({ log }) => log[Symbol.asyncDispose]()));
        await Promise.all(logs.map(({ sql }) => sql.end({ timeout: 1 })));
      },
    };
  });
}
