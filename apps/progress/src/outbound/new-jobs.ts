import type { JobRows } from '../core/job-rows.ts';
import { rankOf } from './job-priority.ts';
import { inSlot } from './job-slot.ts';
import { newTasks } from './new-tasks.ts';
import { addToCount, countOf } from './owner-counts.ts';
import type { Queryable } from './row-mapping.ts';

type Entry = Parameters<JobRows['insert']>;

/** See `JobRows.insert`: a job, its steps, its tasks and the count of its owner in one statement. */
export async function enterJob(
  sql: Queryable,
  job: Entry[0],
  steps: Entry[1],
  tasks: Entry[2],
  ifBelow: Entry[3],
): Promise<boolean> {
  const created = new Date(job.createdAtMs);
  const given = steps.map((step, place) => ({ ...step, place }));
  const guard =
    ifBelow === undefined
      ? sql`true`
      : sql`${countOf(sql, 'openJobs', job.ownerId)} < ${ifBelow} AND NOT EXISTS (
          SELECT 1 FROM progress.jobs
          WHERE ${inSlot(sql, job.kind, job.subject)} AND (draining OR status IN ('pending', 'processing')))`;
  const rows = await sql`
    WITH entered AS (
      INSERT INTO progress.jobs
        (job_id, kind, subject, owner_id, priority, request, status, blocked, phase, created_at, updated_at)
      SELECT ${job.jobId}, ${job.kind}, ${job.subject}, ${job.ownerId}, ${rankOf(job.priority)}::int,
        ${JSON.stringify(job.request ?? null)}::text::jsonb, 'pending', ${job.blocked}::bool, ${job.phase ?? null},
        ${created}::timestamptz, ${created}::timestamptz
      WHERE ${guard}
      ON CONFLICT (kind, subject) WHERE status IN ('pending', 'processing') AND NOT cancelling DO NOTHING
      RETURNING job_id, owner_id),
    opened AS (${addToCount(sql, 'openJobs', sql`SELECT owner_id, 1 AS more FROM entered`)}),
    new_steps AS (
      INSERT INTO progress.steps (job_id, place, name, weight, phase, status)
      SELECT entered.job_id, place, name, weight, given.phase, 'pending'
      FROM entered, jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
        AS given (place int, name text, weight float8, phase text)),
    ${newTasks(sql, tasks, job.createdAtMs, sql`entered`)}
    SELECT job_id FROM entered`;
  return rows.length > 0;
}
