import type { StepStatus } from '@millrace/api';
import type { JobKind } from '@millrace/events';
import type { JobState, Pace } from '@millrace/job';
import type { JobRecord, StepRecord } from '../core/job-record.ts';
import type { JobCount, JobFilter, JobRows } from '../core/job-rows.ts';
import { priorityOf } from './job-priority.ts';
import { inSlot } from './job-slot.ts';
import { enterJob } from './new-jobs.ts';
import { addToCount, countOf } from './owner-counts.ts';
import { jsonTime, optionalMs, type Queryable } from './row-mapping.ts';

interface JobRow {
  readonly job_id: string;
  readonly kind: JobKind;
  readonly subject: string;
  readonly owner_id: string;
  readonly priority: number;
  readonly request: unknown;
  readonly status: JobState;
  readonly cancelling: boolean;
  readonly draining: boolean;
  readonly blocked: boolean;
  readonly progress: number;
  readonly phase: string | null;
  readonly pace: Pace | null;
  readonly error_step: string | null;
  readonly error_code: string | null;
  readonly error_reason: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
}

interface StepRow {
  readonly job_id: string;
  readonly place: number;
  readonly name: string;
  readonly weight: number;
  readonly phase: string;
  readonly status: StepStatus;
  readonly progress: number;
  readonly reason: string | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** Tables progress.jobs and progress.steps. */
export function createJobRows(sql: Queryable): JobRows {
  return {
    insert: (job, steps, tasks, ifBelow) => enterJob(sql, job, steps, tasks, ifBelow),
    async withdraw(jobId) {
      await sql`
        WITH gone AS (DELETE FROM progress.jobs WHERE job_id = ${jobId} RETURNING owner_id)
        ${addToCount(sql, 'openJobs', sql`SELECT owner_id, -1 AS more FROM gone`)}`;
    },
    async get(jobId) {
      const rows = await sql<JobRow[]>`SELECT * FROM progress.jobs WHERE job_id = ${jobId}`;
      return rows[0] && toJob(rows[0]);
    },
    async getMany(jobIds) {
      if (jobIds.length === 0) return [];
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs WHERE job_id = ANY(${[...jobIds]}::text[]) ORDER BY job_id`;
      return rows.map(toJob);
    },
    async active(kind, subject) {
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs
        WHERE ${inSlot(sql, kind, subject)} AND status IN ('pending', 'processing') AND NOT cancelling`;
      return rows[0] && toJob(rows[0]);
    },
    async look(kind, subject, ownerId) {
      const rows = await sql<(JobRow & { open: number })[]>`
        WITH own AS (
          SELECT ${countOf(sql, 'openJobs', ownerId)} AS open)
        SELECT own.open, job.* FROM own LEFT JOIN progress.jobs AS job
          ON ${inSlot(sql, kind, subject)} AND (job.draining OR job.status IN ('pending', 'processing'))
        ORDER BY job.job_id`;
      const slot = rows.filter((row) => row.job_id !== null).map(toJob);
      return { slot, open: rows[0]?.open ?? 0 };
    },
    async newest(kind, subject) {
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs WHERE ${inSlot(sql, kind, subject)} AND NOT forgotten
        ORDER BY (status IN ('pending', 'processing') AND NOT cancelling) DESC, job_id DESC LIMIT 1`;
      return rows[0] && toJob(rows[0]);
    },
    async lock(jobId) {
      const rows = await sql<JobRow[]>`SELECT * FROM progress.jobs WHERE job_id = ${jobId} FOR UPDATE`;
      return rows[0] && toJob(rows[0]);
    },
    async lockFree(jobIds) {
      if (jobIds.length === 0) return [];
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs WHERE job_id = ANY(${[...jobIds]}::text[])
        ORDER BY job_id FOR UPDATE SKIP LOCKED`;
      return rows.map(toJob);
    },
    async lockSlot(kind, subject) {
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs WHERE ${inSlot(sql, kind, subject)}
          AND (draining OR status IN ('pending', 'processing')) ORDER BY job_id FOR UPDATE`;
      return rows.map(toJob);
    },
    async save(jobs) {
      if (jobs.length === 0) return;
      const given = jobs.map((job) => ({
        ...{ job_id: job.jobId, status: job.status, cancelling: job.cancelling, draining: job.draining },
        ...{ blocked: job.blocked, progress: job.progress, phase: job.phase ?? null, pace: job.pace ?? null },
        error_step: job.error?.step ?? null,
        error_code: job.error?.code ?? null,
        error_reason: job.error?.reason ?? null,
        started_at: jsonTime(job.startedAtMs),
        updated_at: jsonTime(job.updatedAtMs),
        finished_at: jsonTime(job.finishedAtMs),
      }));
      // what is read here of a job is what it was before: it is locked
      await sql`
        WITH given AS (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb) AS given
            (job_id text, status text, cancelling bool, draining bool, blocked bool, progress float8, phase text,
             pace jsonb, error_step text, error_code text, error_reason text, started_at timestamptz,
             updated_at timestamptz, finished_at timestamptz)),
        ended AS (${addToCount(
          sql,
          'openJobs',
          sql`
          SELECT before.owner_id, -count(*) AS more FROM progress.jobs AS before JOIN given USING (job_id)
          WHERE before.finished_at IS NULL AND given.finished_at IS NOT NULL GROUP BY before.owner_id`,
        )})
        UPDATE progress.jobs AS job SET status = given.status, cancelling = given.cancelling,
          draining = given.draining, blocked = given.blocked, progress = greatest(job.progress, given.progress),
          phase = given.phase, pace = given.pace, error_step = given.error_step, error_code = given.error_code,
          error_reason = given.error_reason, started_at = given.started_at, updated_at = given.updated_at,
          finished_at = given.finished_at
        FROM given WHERE job.job_id = given.job_id`;
    },
    async steps(jobIds) {
      if (jobIds.length === 0) return [];
      const rows = await sql<StepRow[]>`
        SELECT * FROM progress.steps WHERE job_id = ANY(${[...jobIds]}::text[]) ORDER BY job_id, place`;
      return rows.map(toStep);
    },
    async saveSteps(steps) {
      if (steps.length === 0) return;
      const given = steps.map((step) => ({
        ...{ job_id: step.jobId, place: step.place, status: step.status, progress: step.progress },
        reason: step.reason ?? null,
        started_at: jsonTime(step.startedAtMs),
        finished_at: jsonTime(step.finishedAtMs),
      }));
      await sql`
        UPDATE progress.steps AS step SET status = given.status, progress = greatest(step.progress, given.progress),
          reason = given.reason, started_at = given.started_at, finished_at = given.finished_at
        FROM jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb) AS given
          (job_id text, place int, status text, progress float8, reason text, started_at timestamptz,
           finished_at timestamptz)
        WHERE step.job_id = given.job_id AND step.place = given.place`;
    },
    async countOpen(ownerId) {
      const rows = await sql<{ count: number }[]>`
        SELECT ${countOf(sql, 'openJobs', ownerId)} AS count`;
      return rows[0]?.count ?? 0;
    },
    async countProcessing(ownerId) {
      const rows = await sql<{ count: number }[]>`
        SELECT count(*)::int AS count FROM progress.jobs WHERE owner_id = ${ownerId} AND status = 'processing'`;
      return rows[0]?.count ?? 0;
    },
    async takeTurn(ownerIds) {
      for (const ownerId of [...new Set(ownerIds)].sort()) {
        await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`millrace-progress-owner ${ownerId}`}, 0))`;
      }
    },
    async takeSlotTurn(kind, subject) {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`millrace-progress-slot ${kind} ${subject}`}, 0))`;
    },
    async list(filter, page) {
      const rows = await sql<JobRow[]>`
        SELECT * FROM progress.jobs WHERE ${filterOf(sql, filter)}
          ${page.before === undefined ? sql`` : sql`AND job_id < ${page.before}`}
        ORDER BY job_id DESC LIMIT ${page.limit}`;
      return rows.map(toJob);
    },
    async countByKind() {
      return sql<JobCount[]>`
        SELECT kind, status, count(*)::int AS count FROM progress.jobs
        WHERE status IN ('pending', 'processing') GROUP BY kind, status`;
    },
    async usualDurationMs(kind) {
      const rows = await sql<{ ms: number | null }[]>`
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took)::float8 AS ms FROM (
          SELECT extract(epoch FROM finished_at - started_at) * 1000 AS took FROM progress.jobs
          WHERE kind = ${kind} AND status = 'completed' ORDER BY job_id DESC LIMIT 20) AS earlier`;
      return rows[0]?.ms ?? undefined;
    },
    async forget(kind, subject) {
      await sql`UPDATE progress.jobs SET forgotten = true WHERE ${inSlot(sql, kind, subject)}`;
    },
    sweep: (endedBeforeMs, limit) => sweepJobs(sql, new Date(endedBeforeMs), limit),
  };
}

async function sweepJobs(sql: Queryable, endedBefore: Date, limit: number): Promise<number> {
  const old = await sql<{ job_id: string; newest: boolean }[]>`
    SELECT job_id, NOT EXISTS (
      SELECT 1 FROM progress.jobs AS later
      WHERE later.subject = job.subject AND later.kind IS NOT DISTINCT FROM job.kind AND later.job_id > job.job_id) AS newest
    FROM progress.jobs AS job WHERE finished_at < ${endedBefore} AND NOT stripped AND NOT draining
    ORDER BY finished_at LIMIT ${limit}`;
  const forgotten = await sql<{ job_id: string }[]>`
    SELECT job_id FROM progress.jobs
    WHERE forgotten AND finished_at IS NOT NULL AND NOT draining LIMIT ${limit}`;
  const gone = [...old.filter((job) => !job.newest), ...forgotten].map((job) => job.job_id);
  const kept = old.filter((job) => job.newest && !gone.includes(job.job_id)).map((job) => job.job_id);
  if (gone.length > 0) await sql`DELETE FROM progress.jobs WHERE job_id = ANY(${gone}::text[])`;
  if (kept.length > 0) {
    await sql`DELETE FROM progress.tasks WHERE job_id = ANY(${kept}::text[])`;
    await sql`UPDATE progress.jobs SET stripped = true WHERE job_id = ANY(${kept}::text[])`;
  }
  return gone.length;
}

function filterOf(sql: Queryable, filter: JobFilter) {
  const { ownerId, kind, status, subject } = filter;
  return sql`true
    ${ownerId === undefined ? sql`` : sql`AND owner_id = ${ownerId}`}
    ${kind === undefined ? sql`` : sql`AND kind = ${kind}`}
    ${status === undefined ? sql`` : sql`AND status = ${status}`}
    ${subject === undefined ? sql`` : sql`AND subject = ${subject}`}`;
}

function toJob(row: JobRow): JobRecord {
  return {
    jobId: row.job_id,
    kind: row.kind,
    subject: row.subject,
    ownerId: row.owner_id,
    priority: priorityOf(row.priority),
    request: row.request,
    status: row.status,
    cancelling: row.cancelling,
    draining: row.draining,
    blocked: row.blocked,
    progress: row.progress,
    phase: row.phase ?? undefined,
    pace: row.pace ?? undefined,
    error:
      row.error_code === null
        ? undefined
        : { step: row.error_step, code: row.error_code, reason: row.error_reason ?? '' },
    createdAtMs: row.created_at.getTime(),
    startedAtMs: optionalMs(row.started_at),
    updatedAtMs: row.updated_at.getTime(),
    finishedAtMs: optionalMs(row.finished_at),
  };
}

function toStep(row: StepRow): StepRecord {
  return {
    jobId: row.job_id,
    place: row.place,
    name: row.name,
    weight: row.weight,
    phase: row.phase,
    status: row.status,
    progress: row.progress,
    reason: row.reason ?? undefined,
    startedAtMs: optionalMs(row.started_at),
    finishedAtMs: optionalMs(row.finished_at),
  };
}
