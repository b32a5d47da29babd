/**
 * The wire of the job leases, JSON over HTTP/1.1 below `/internal/v1/leases`, service token as Bearer:
 *
 * - `POST /`: a lease request, held until there is a task or `wait_ms` went by; `102 Processing` (RFC 9110 15.2) each second
 *   meanwhile, so that either side misses the other within a lease. Answers `{"tasks":[...]}`.
 * - `POST /reports`: `{"worker_id","reports":[...]}`; answers `{"standings":[...]}`.
 * - `POST /ends`: `{"worker_id","end":{...}}`; answers `{"standing"}`.
 * - `GET /stops?worker_id=`: stop orders as lines of JSON for as long as the connection lives, an empty line each second. One a
 *   worker: a newer one ends the older.
 *
 * 400 and 413 are mistakes of the caller (`refused`), everything else that is no 200 may pass (`unavailable`).
 */
import { leasedTaskSchema, taskEndSchema, taskReportSchema } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import { z } from 'zod';
import type { LeaseFailure } from './job-leases.ts';

export const leasesPath = '/internal/v1/leases';

/** How often a held answer shows a sign of life, ms. */
export const leaseSignMs = 1_000;
/** Silence that makes the worker give a held answer up, ms: less than a lease. */
export const leaseSilenceMs = 3_500;
/** Most reports of one call. */
const mostReports = 64;
/** Longest body up, bytes: the result of a probe has every keyframe, that of a span every segment. */
export const maxEndBytes = 16 * 1024 * 1024;
/** Longest answer down, bytes: a publishing task is given the results of all spans. */
export const maxTasksBytes = 64 * 1024 * 1024;
/** Longest other body and longest line of the stops, bytes. */
export const maxCallBytes = 256 * 1024;

const workerId = z.string().min(1).max(64);
export const reportsCallSchema = z.strictObject({
  worker_id: workerId,
  reports: z.array(taskReportSchema).max(mostReports),
});
export const endCallSchema = z.strictObject({ worker_id: workerId, end: taskEndSchema });

const standing = z.enum(['taken', 'lost']);
export const standingsSchema = z.object({ standings: z.array(standing) });
export const standingSchema = z.object({ standing });
/** Tasks are read one by one: one that this release cannot read must not cost the others. */
export const tasksSchema = z.object({ tasks: z.array(z.unknown()) });
export const leasedSchema = leasedTaskSchema;

/** Parses JSON of `schema`; the message says what was wrong with it. */
export function readJson<T>(schema: z.ZodType<T>, text: string): Result<T, LeaseFailure> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ kind: 'refused', message: `expected JSON, got ${JSON.stringify(text.slice(0, 80))}` });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return err({ kind: 'refused', message: z.prettifyError(parsed.error).slice(0, 2_000) });
}
