import type { JobAttempt, TaskKind, TaskResult, TaskSpec } from '@millrace/api';
import type { JobKind } from '@millrace/events';
import type { TaskState } from '@millrace/job';
import type { Stop, TaskRecord, TaskRows, TaskSums } from '../core/task-rows.ts';
import { newTasks } from './new-tasks.ts';
import { optionalMs, type Queryable } from './row-mapping.ts';
import { createTaskLeaseRows } from './task-lease-rows.ts';

interface TaskRow {
  readonly task_id: string;
  readonly job_id: string;
  readonly key: string;
  readonly step: string;
  readonly spec: TaskSpec;
  readonly optional: boolean;
  readonly share: number;
  readonly rank: number;
  readonly run_at: Date;
  readonly done: number;
  readonly phase: string | null;
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
      await sql`WITH ${newTasks(sql, tasks, nowMs, sql`(VALUES (1)) AS always`)} SELECT 1`;
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
      const text = result === undefined ? null : JSON.stringify(result);
      await sql`
        WITH finished AS (
          UPDATE progress.tasks SET status = CASE WHEN ${text}::text IS NULL THEN 'failed' ELSE 'done' END,
            done = CASE WHEN ${text}::text IS NULL THEN done ELSE 1 END, result = ${text}::text::jsonb
          WHERE task_id = ${taskId} AND status = 'leased' RETURNING task_id)
        UPDATE progress.tasks SET waiting_for = waiting_for - 1,
          status = CASE WHEN waiting_for = 1 THEN 'ready' ELSE status END
        WHERE status = 'waiting' AND task_id IN (
          SELECT dep.task_id FROM progress.task_deps AS dep JOIN finished ON dep.after_task_id = finished.task_id)`;
    },
    async cancel(taskIds) {
      if (taskIds.length === 0) return;
      await sql`
        UPDATE progress.tasks SET status = 'cancelled' WHERE task_id = ANY(${[...taskIds]}::text[])
          AND status IN ('waiting', 'ready', 'leased')`;
    },
    async find(taskId) {
      const rows = await sql<{ job_id: string; fence: number; spec_kind: TaskKind; kind: JobKind; subject: string }[]>`
        SELECT task.job_id, task.fence, task.kind AS spec_kind, job.kind, job.subject
        FROM progress.tasks AS task JOIN progress.jobs AS job USING (job_id) WHERE task.task_id = ${taskId}`;
      const row = rows[0];
      if (row === undefined) return undefined;
      const { job_id: jobId, fence, spec_kind: specKind, kind, subject } = row;
      return { taskId, jobId, fence, specKind, kind, subject };
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
    share: row.share,
    rank: row.rank,
    runAtMs: row.run_at.getTime(),
    done: row.done,
    phase: row.phase ?? undefined,
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
