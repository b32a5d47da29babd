import type { TaskResult, TaskSpec } from '@millrace/api';
import type { Lease, LeaseWish, TaskRows } from '../core/task-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface LeaseRow {
  readonly task_id: string;
  readonly job_id: string;
  readonly fence: number;
  readonly spec: TaskSpec;
}

type LeaseRows = Pick<TaskRows, 'lease' | 'leaseThese' | 'inputs' | 'renew' | 'lapsed'>;

/**
 * Leases of progress.tasks: taken, prolonged, lapsed. None of it waits for a job's row, and what is locked by somebody else is
 * passed over, so that workers do not stand in each other's way.
 */
export function createTaskLeaseRows(sql: Queryable): LeaseRows {
  /** From the rows of `picked` that `fit`; with the attempts that begin. */
  const lease = (wish: LeaseWish, picked: ReturnType<typeof sql>) => sql`
    leased AS (
      UPDATE progress.tasks AS task SET status = 'leased', fence = fence + 1, worker_id = ${wish.workerId},
        leased_until = ${new Date(wish.leasedUntilMs)}, stopping_at = NULL, phase = NULL
      FROM ${picked} WHERE task.task_id = picked.task_id
      RETURNING task.task_id, task.job_id, task.fence, task.spec, task.step, task.priority, task.rank, task.place),
    begun AS (
      INSERT INTO progress.attempts (task_id, fence, job_id, step, worker_id, started_at, outcome)
      SELECT task_id, fence, job_id, step, ${wish.workerId}, ${new Date(wish.nowMs)}, 'running' FROM leased)`;
  return {
    async lease(wish, maxProcessing) {
      const rows = await sql<(Omit<LeaseRow, 'fence'> & { fence: number | null })[]>`
        WITH busy AS MATERIALIZED (
          SELECT owner_id FROM progress.jobs WHERE status = 'processing'
          GROUP BY owner_id HAVING count(*) >= ${maxProcessing}),
        picked AS (
          SELECT task_id, job_id, starting, priority, rank, place FROM progress.tasks
          WHERE status = 'ready' AND kind = ANY(${[...wish.kinds]}::text[]) AND run_at <= ${new Date(wish.nowMs)}
            AND (NOT starting OR owner_id NOT IN (SELECT owner_id FROM busy))
          ORDER BY priority, job_id, rank, place LIMIT ${wish.slots} FOR UPDATE SKIP LOCKED),
        ${lease(wish, sql`(SELECT task_id FROM picked WHERE NOT starting) AS picked`)}
        SELECT task_id, job_id, fence, spec, priority, rank, place FROM leased
        UNION ALL
        SELECT task_id, job_id, NULL, NULL, priority, rank, place FROM picked WHERE starting
        ORDER BY priority, job_id, rank, place`;
      return {
        leases: rows.flatMap((row) => (row.fence === null ? [] : [toLease({ ...row, fence: row.fence })])),
        candidates: rows.flatMap((row) => (row.fence === null ? [{ taskId: row.task_id, jobId: row.job_id }] : [])),
      };
    },
    async leaseThese(wish, taskIds) {
      if (taskIds.length === 0) return [];
      const rows = await sql<LeaseRow[]>`
        WITH picked AS (
          SELECT task_id FROM progress.tasks WHERE task_id = ANY(${[...taskIds]}::text[]) AND status = 'ready'
          ORDER BY task_id FOR UPDATE SKIP LOCKED),
        ${lease(wish, sql`picked`)}
        SELECT task_id, job_id, fence, spec FROM leased ORDER BY priority, job_id, rank, place`;
      return rows.map(toLease);
    },
    async inputs(taskIds) {
      const inputs = new Map<string, TaskResult[]>();
      if (taskIds.length === 0) return inputs;
      const rows = await sql<{ task_id: string; result: TaskResult }[]>`
        SELECT dep.task_id, before.result FROM progress.task_deps AS dep
        JOIN progress.tasks AS before ON before.task_id = dep.after_task_id
        WHERE dep.task_id = ANY(${[...taskIds]}::text[]) AND before.result IS NOT NULL ORDER BY dep.task_id, dep.place`;
      for (const { task_id, result } of rows) inputs.set(task_id, [...(inputs.get(task_id) ?? []), result]);
      return inputs;
    },
    async renew(workerId, renewals, times) {
      const given = renewals.map((one) => ({
        ...{ task_id: one.taskId, fence: one.fence, done: one.done ?? null, phase: one.phase ?? null },
      }));
      const rows = await sql<{ task_id: string; fence: number; job_id: string; moved: boolean }[]>`
        WITH said AS (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
            AS said (task_id text, fence int, done float8, phase text)),
        held AS (
          SELECT task.task_id, said.done, said.phase,
            coalesce(said.done > task.done, false) OR coalesce(said.phase <> coalesce(task.phase, ''), false) AS moved
          FROM progress.tasks AS task JOIN said ON task.task_id = said.task_id AND task.fence = said.fence
          WHERE task.status = 'leased' AND task.worker_id = ${workerId}
            AND (task.stopping_at IS NULL OR task.stopping_at >= ${new Date(times.stoppedBeforeMs)})
          ORDER BY task.task_id FOR UPDATE OF task)
        UPDATE progress.tasks AS task SET leased_until = greatest(task.leased_until, ${new Date(times.leasedUntilMs)}),
          done = greatest(task.done, coalesce(held.done, 0)), phase = coalesce(held.phase, task.phase)
        FROM held WHERE task.task_id = held.task_id
        RETURNING task.task_id, task.fence, task.job_id, held.moved`;
      return rows.map((row) => ({ taskId: row.task_id, fence: row.fence, jobId: row.job_id, moved: row.moved }));
    },
    async lapsed(nowMs, limit) {
      const rows = await sql<{ task_id: string; job_id: string }[]>`
        SELECT task_id, job_id FROM progress.tasks WHERE status = 'leased' AND leased_until < ${new Date(nowMs)}
        ORDER BY job_id, task_id LIMIT ${limit}`;
      return rows.map((row) => ({ taskId: row.task_id, jobId: row.job_id }));
    },
  };
}

function toLease(row: LeaseRow): Lease {
  return { taskId: row.task_id, jobId: row.job_id, fence: row.fence, spec: row.spec };
}
