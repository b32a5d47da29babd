import { openPostgresEventLog } from '@millrace/eventlog';
import { silentLogger } from '@millrace/log';
import { runMigrations } from '@millrace/postgres';
import { createTestDatabase } from '@millrace/postgres/testing';
import { expect, it } from 'vitest';
import type { JobIdentity } from '../core/job-record.ts';
import { createJobRows } from './job-rows.ts';

it('a slot is looked up without reading jobs of others, also as long as the table has no statistics', async () => {
  await using database = await createTestDatabase();
  const { sql } = database;
  const eventLog = await openPostgresEventLog({ sql, source: 'progress', log: silentLogger, wake: 'memory' });
  await eventLog[Symbol.asyncDispose]();
  await runMigrations({ sql, schema: 'progress', dir: new URL('../../migrations', import.meta.url).pathname });
  await sql`ALTER TABLE progress.jobs SET (autovacuum_enabled = false)`;

  const readBy = await sql.begin(async (tx) => {
    // plans that are made once and kept, as those of a connection that was opened when there were few jobs
    await tx`SET LOCAL plan_cache_mode = force_generic_plan`;
    const jobs = createJobRows(tx);
    const nobody = { kind: 'compose', subject: 'cmp_0', ownerId: 'own_1' } as const;
    const askAll = async () => {
      await jobs.look(nobody.kind, nobody.subject, nobody.ownerId);
      await jobs.active(nobody.kind, nobody.subject);
      await jobs.newest(nobody.kind, nobody.subject);
      await jobs.lockSlot(nobody.kind, nobody.subject);
      await jobs.forget(nobody.kind, nobody.subject);
    };
    await askAll();
    await tx`
      INSERT INTO progress.jobs (job_id, kind, subject, owner_id, priority, request, status, created_at, updated_at)
      SELECT 'job_' || n, 'compose', 'cmp_' || n, 'own_1', 1, '{}', 'pending', now(), now() FROM generate_series(1, 2000) AS n`;
    await askAll();
    const job: JobIdentity = { ...nobody, jobId: 'job_0', priority: 'normal', request: {}, createdAtMs: 0 };
    expect(await jobs.insert({ ...job, blocked: false, phase: undefined }, [], [], 1_000)).toBe(true);
    return tx<{ indexrelname: string; rows: number }[]>`
      SELECT indexrelname, pg_stat_get_xact_tuples_returned(indexrelid)::int AS rows FROM pg_stat_user_indexes
      WHERE relname = 'jobs' UNION SELECT 'the table itself', pg_stat_get_xact_tuples_returned('progress.jobs'::regclass)::int`;
  });
  expect(readBy.filter(({ rows }) => rows > 10)).toEqual([]);
});
