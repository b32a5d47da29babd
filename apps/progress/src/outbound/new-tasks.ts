import type { NewTask } from '../core/task-rows.ts';
import { rankOf } from './job-priority.ts';
import type { Queryable } from './row-mapping.ts';

/** Parts of a statement that enters tasks and what they wait for, as far as `guard` (a table of at least one row) lets them. */
export function newTasks(sql: Queryable, tasks: readonly NewTask[], nowMs: number, guard: ReturnType<Queryable>) {
  const given = tasks.map((task) => ({
    ...{ task_id: task.taskId, job_id: task.jobId, key: task.key, step: task.step, kind: task.spec.kind },
    ...{ spec: task.spec, share: task.share, optional: task.optional, rank: task.rank },
    ...{ priority: rankOf(task.priority), owner_id: task.ownerId, starting: task.starting },
    status: task.waitingFor === 0 ? 'ready' : 'waiting',
    waiting_for: task.waitingFor,
  }));
  const deps = tasks.flatMap((task) =>
    task.after.map((after, place) => ({ task_id: task.taskId, place, after_task_id: after })),
  );
  return sql`
    new_tasks AS (
      INSERT INTO progress.tasks (task_id, job_id, key, step, kind, spec, share, optional, rank, priority, owner_id,
        starting, status, waiting_for, run_at)
      SELECT task_id, job_id, key, step, kind, spec, share, optional, rank, priority, owner_id, starting, status,
        waiting_for, ${new Date(nowMs)}
      FROM ROWS FROM (jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb) AS
        (task_id text, job_id text, key text, step text, kind text, spec jsonb, share float8, optional bool, rank int,
         priority smallint, owner_id text, starting bool, status text, waiting_for int)) WITH ORDINALITY AS given
      WHERE EXISTS (SELECT 1 FROM ${guard}) ORDER BY ordinality RETURNING task_id),
    new_deps AS (
      INSERT INTO progress.task_deps (task_id, place, after_task_id)
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(deps)}::text::jsonb)
        AS given (task_id text, place int, after_task_id text)
      WHERE EXISTS (SELECT 1 FROM ${guard}))`;
}
