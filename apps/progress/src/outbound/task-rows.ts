import type { JobAttempt, TaskResult, TaskSpec } from '@millrace/api';
import type { TaskState } from '@millrace/job';
import type { Stop, TaskRecord, TaskRows, TaskSums } from '../core/task-rows.ts';
import { rankOf } from './job-priority.ts';
import { optionalMs, type Queryable } from './row-mapping.ts';
import { createTaskLeaseRows } from './task-lease-rows.ts';

interface TaskRow {
  readonly task_id: string;
  readonly job_id: string;
  readonly key: string;
  readonly step: string;
  readonly spec: TaskSpec;
  readonly optional: boolean;
  readonly status: TaskState;
  readonly fence: number;
  readonly worker_id: string | null;
  readonly leased_until: Date | null;
  readonly stopping_at: Date | null;
  readonly failures: number;
  readonly lapses: number;
  readonly result: TaskResult | null;
}

interface AttemptRow {
  readonly step: string;
  readonly task_id: string;
  readonly fence: number;
  readonly worker_id: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly outcome: JobAttempt['outcome'];
  readonly reason: string | null;
}

interface SumsRow {
  readonly job_id: string;
  readonly step: string;
  readonly tasks: number;
  readonly open: number;
  readonly leased: number;
  readonly touched: boolean;
  readonly done: number;
  readonly phase: string | null;
  readonly ready_at: Date | null;
}

/** Tables progress.tasks, task_deps and attempts. */
export function createTaskRows(sql: Queryable): TaskRows {
  const stopOf = (row: { worker_id: string; task_id: string; fence: number }): Stop => ({
    workerId: row.worker_id,
    taskId: row.task_id,
    fence: row.fence,
  });
  return {
    ...createTaskLeaseRows(sql),
    async insert(tasks, nowMs) {
      if (tasks.length === 0) return;
      const given = tasks.map((task) => ({
        ...{ task_id: task.taskId, job_id: task.jobId, key: task.key, step: task.step, kind: task.spec.kind },
        ...{ spec: task.spec, share: task.share, optional: task.optional, rank: task.rank },
        ...{ priority: rankOf(task.priority), owner_id: task.ownerId, starting: task.starting },
        status: task.waitingFor === 0 ? 'ready' : 'waiting',
        waiting_for: task.waitingFor,
      }));
      await sql`
        INSERT INTO progress.tasks (task_id, job_id, key, step, kind, spec, share, optional, rank, priority, owner_id,
          starting, status, waiting_for, run_at)
        SELECT task_id, job_id, key, step, kind, spec, share, optional, rank, priority, owner_id, starting, status, waiting_for,
          ${new Date(nowMs)}
        FROM ROWS FROM (jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb) AS
          (task_id text, job_id text, key text, step text, kind text, spec jsonb, share float8, optional bool, rank int,
           priority smallint, owner_id text, starting bool, status text, waiting_for int)) WITH ORDINALITY AS given
        ORDER BY ordinality`;
      const deps = tasks.flatMap((task) =>
        task.after.map((after, place) => ({ task_id: task.taskId, place, after_task_id: after })),
      );
      if (deps.length === 0) return;
      await sql`
        INSERT INTO progress.task_deps (task_id, place, after_task_id)
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(deps)}::text::jsonb)
          AS given (task_id text, place int, after_task_id text)`;
    },
    async get(taskId) {
      const rows = await sql<TaskRow[]>`SELECT * FROM progress.tasks WHERE task_id = ${taskId}`;
      return rows[0] && toTask(rows[0]);
    },
    async ofJob(jobId) {
      const rows = await sql<TaskRow[]>`SELECT * FROM progress.tasks WHERE job_id = ${jobId} ORDER BY place`;
      return rows.map(toTask);
    },
    async lock(taskId) {
      const rows = await sql<TaskRow[]>`SELECT * FROM progress.tasks WHERE task_id = ${taskId} FOR UPDATE`;
      return rows[0] && toTask(rows[0]);
    },
    async lockOpen(jobId) {
      const rows = await sql<TaskRow[]>`
        SELECT * FROM progress.tasks WHERE job_id = ${jobId} AND status IN ('waiting', 'ready', 'leased')
        ORDER BY task_id FOR UPDATE`;
      return rows.map(toTask);
    },
    async started(jobIds) {
      await sql`UPDATE progress.tasks SET starting = false WHERE job_id = ANY(${[...jobIds]}::text[]) AND starting`;
    },
    async requeue(taskId, runAtMs, counts) {
      await sql`
        UPDATE progress.tasks SET status = 'ready', run_at = ${new Date(runAtMs)}, failures = ${counts.failures},
          lapses = ${counts.lapses}, worker_id = NULL, leased_until = NULL, stopping_at = NULL
        WHERE task_id = ${taskId} AND status = 'leased'`;
    },
    async finish(taskId, result) {
      await sql`
        UPDATE progress.tasks SET status = 'done', done = 1, result = ${JSON.stringify(result)}::text::jsonb
        WHERE task_id = ${taskId} AND status = 'leased'`;
    },
    async fail(taskId) {
      await sql`UPDATE progress.tasks SET status = 'failed' WHERE task_id = ${taskId} AND status = 'leased'`;
    },
    async cancel(taskIds) {
      if (taskIds.length === 0) return;
      await sql`
        UPDATE progress.tasks SET status = 'cancelled' WHERE task_id = ANY(${[...taskIds]}::text[])
          AND status IN ('waiting', 'ready', 'leased')`;
    },
    async releaseAfter(taskId) {
      await sql`
        UPDATE progress.tasks SET waiting_for = waiting_for - 1,
          status = CASE WHEN waiting_for = 1 THEN 'ready' ELSE status END
        WHERE status = 'waiting' AND task_id IN (
          SELECT task_id FROM progress.task_deps WHERE after_task_id = ${taskId})`;
    },
    async releaseJob(jobId) {
      await sql`
        UPDATE progress.tasks SET waiting_for = waiting_for - 1,
          status = CASE WHEN waiting_for = 1 THEN 'ready' ELSE status END
        WHERE status = 'waiting' AND job_id = ${jobId}`;
    },
    async order(taskIds, nowMs) {
      if (taskIds.length === 0) return [];
      const rows = await sql<{ worker_id: string; task_id: string; fence: number }[]>`
        UPDATE progress.tasks SET stopping_at = coalesce(stopping_at, ${new Date(nowMs)})
        WHERE task_id = ANY(${[...taskIds]}::text[]) AND status = 'leased' RETURNING worker_id, task_id, fence`;
      return rows.map(stopOf);
    },
    async stops(workerIds) {
      if (workerIds.length === 0) return [];
      const rows = await sql<{ worker_id: string; task_id: string; fence: number }[]>`
        SELECT worker_id, task_id, fence FROM progress.tasks
        WHERE status = 'leased' AND worker_id = ANY(${[...workerIds]}::text[]) AND stopping_at IS NOT NULL`;
      return rows.map(stopOf);
    },
    async sums(jobIds) {
      if (jobIds.length === 0) return [];
      const rows = await sql<SumsRow[]>`
        SELECT job_id, step, count(*)::int AS tasks,
          count(*) FILTER (WHERE status IN ('waiting', 'ready', 'leased'))::int AS open,
          count(*) FILTER (WHERE status = 'leased')::int AS leased,
          bool_or(fence > 0) AS touched,
          least(1, CASE WHEN sum(share) > 0 THEN sum(share * done) / sum(share) ELSE avg(done) END)::float8 AS done,
          (array_agg(phase ORDER BY rank, place) FILTER (WHERE status = 'leased' AND phase IS NOT NULL))[1] AS phase,
          min(run_at) FILTER (WHERE status = 'ready') AS ready_at
        FROM progress.tasks WHERE job_id = ANY(${[...jobIds]}::text[]) GROUP BY job_id, step`;
      return rows.map(toSums);
    },
    async endAttempts(ends, nowMs) {
      if (ends.length === 0) return;
      const given = ends.map((end) => ({
        ...{ task_id: end.taskId, fence: end.fence, outcome: end.outcome, reason: end.reason ?? null },
      }));
      await sql`
        UPDATE progress.attempts AS attempt SET ended_at = ${new Date(nowMs)}, outcome = given.outcome, reason = given.reason
        FROM jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
          AS given (task_id text, fence int, outcome text, reason text)
        WHERE attempt.task_id = given.task_id AND attempt.fence = given.fence AND attempt.outcome = 'running'`;
    },
    async attempts(jobId, limit) {
      const rows = await sql<AttemptRow[]>`
        SELECT * FROM progress.attempts WHERE job_id = ${jobId} ORDER BY started_at DESC, task_id DESC, fence DESC
        LIMIT ${limit}`;
      return rows.map(toAttempt);
    },
    async countByKind() {
      return sql<{ kind: string; status: 'ready' | 'leased'; count: number }[]>`
        SELECT kind, status, count(*)::int AS count FROM progress.tasks WHERE status IN ('ready', 'leased')
        GROUP BY kind, status`;
    },
  };
}

function toTask(row: TaskRow): TaskRecord {
  return {
    taskId: row.task_id,
    jobId: row.job_id,
    key: row.key,
    step: row.step,
    spec: row.spec,
    optional: row.optional,
    status: row.status,
    fence: row.fence,
    workerId: row.worker_id ?? undefined,
    leasedUntilMs: optionalMs(row.leased_until),
    stoppingAtMs: optionalMs(row.stopping_at),
    failures: row.failures,
    lapses: row.lapses,
    result: row.result ?? undefined,
  };
}

function toSums(row: SumsRow): TaskSums {
  return {
    jobId: row.job_id,
    step: row.step,
    tasks: row.tasks,
    open: row.open,
    leased: row.leased,
    touched: row.touched,
    done: row.done,
    phase: row.phase ?? undefined,
    readyAtMs: optionalMs(row.ready_at),
  };
}

function toAttempt(row: AttemptRow): JobAttempt {
  return {
    step: row.step,
    task_id: row.task_id,
    fence: row.fence,
    worker_id: row.worker_id,
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at === null ? null : row.ended_at.toISOString(),
    outcome: row.outcome,
    reason: row.reason,
  };
}
