import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { jobIdSchema, jobStatusSchema, pageOf, pageQuerySchema, taskProgressResponseSchema } from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { jobKinds } from '@millrace/events';
import {
  bearer,
  inTheWay,
  json,
  needsLogin,
  notFound,
  notThere,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
} from '@millrace/http';
import { assertNever } from '@millrace/result';
import { z } from 'zod';
import type { JobSummary } from '../core/job-desk.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';

const jobParams = z.object({ id: jobIdSchema });
const jobQuery = pageQuerySchema.extend({
  kind: z.enum(jobKinds).optional(),
  status: jobStatusSchema.optional(),
  subject: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'Id of a video or composition, name of an image.' }),
});

/** Routes of `/api/v1/jobs`. */
export function addJobRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['jobs'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/jobs',
      operationId: 'listJobs',
      summary: 'List jobs, the newest first',
      middleware: access(deps, 'listJobs'),
      request: { query: jobQuery },
      responses: { 200: json(pageOf('JobPage', taskProgressResponseSchema), 'A page of jobs.'), ...needsLogin },
    }),
    async (c) => {
      const { kind, status, subject, ...query } = c.req.valid('query');
      const filter = { ownerId: confinedTo(c.get('actor')), kind, status, subject };
      const rows = await deps.store.jobs.list(filter, pageRequest(query));
      const page = pageOfRows(
        rows,
        query.limit,
        (job) => job.jobId,
        (job) => job,
      );
      return c.json({ items: [...(await deps.desk.show(page.items))], next_cursor: page.next_cursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/jobs/{id}',
      operationId: 'getJob',
      summary: 'Get a job: steps, progress, estimate, attempts',
      middleware: access(deps, 'getJob'),
      request: { params: jobParams },
      responses: { 200: json(taskProgressResponseSchema, 'The job.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const job = await deps.desk.progress(id);
      const confined = confinedTo(c.get('actor'));
      if (job === undefined || (confined !== undefined && job.owner_id !== confined)) throw notFound('job', id);
      return c.json(job, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/jobs/{id}/cancel',
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      description:
        'A pending job has ended with the answer; of one that runs the processes are stopped first, within a second.',
      middleware: access(deps, 'cancelJob'),
      request: { params: jobParams },
      responses: {
        202: json(taskProgressResponseSchema, 'The job, cancelled or `cancelling`.'),
        ...needsLogin,
        ...notThere,
        ...inTheWay,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const confined = confinedTo(c.get('actor'));
      const known = await deps.desk.summary(id);
      if (known === undefined || (confined !== undefined && known.ownerId !== confined)) throw notFound('job', id);
      await mutate(c, deps, { action: 'cancelJob' }, async (tx) => {
        const { kind, job } = await deps.desk.cancel(tx, id);
        switch (kind) {
          case 'cancelled':
          case 'cancelling':
            return { resource: id, ownerId: known.ownerId, answer: undefined };
          case 'ended':
            throw hasEnded(job ?? known);
          case 'unknown':
            throw notFound('job', id);
          default:
            return assertNever(kind);
        }
      });
      const after = await deps.desk.progress(id);
      if (after === undefined) throw notFound('job', id);
      return c.json(after, 202);
    },
  );
}

function hasEnded(job: JobSummary): ProblemError {
  const detail = `expected a job that is pending or processing, ${job.jobId} is ${job.status}`;
  return new ProblemError(problem(409, 'job-ended', 'The job has ended', { detail }));
}
