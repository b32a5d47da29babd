import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  type AsyncTaskResponse,
  asyncTaskResponseSchema,
  reprocessInputSchema,
  runInputSchema,
  taskProgressResponseSchema,
} from '@millrace/api';
import {
  bearer,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notThere,
  optionalBody,
  otherBody,
  ProblemError,
  problem,
  tooMany,
} from '@millrace/http';
import { assertNever } from '@millrace/result';
import type { Context } from 'hono';
import type { JobSummary } from '../core/job-desk.ts';
import { type RunWish, refuseRun, submitRun } from '../core/video-submission.ts';
import { access } from './access.ts';
import { admit } from './admission.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { runActive, tooManyJobs } from './job-refusals.ts';
import { mutateShared } from './mutation.ts';
import { SameSubmits } from './same-submits.ts';
import { reachVideo } from './video-lookup.ts';
import { videoParams } from './video-routes.ts';
import { runUrl, showAccepted, showInitial } from './video-view.ts';

/** Routes that start a run of a video and say how far it is. */
export function addRunRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['videos'], security: bearer };
  const same = new SameSubmits<AsyncTaskResponse>();
  const started = {
    202: json(asyncTaskResponseSchema, 'Accepted; `Location` leads to its progress.'),
    ...needsLogin,
    ...needsBody,
    ...notThere,
    ...inTheWay,
    ...otherBody,
    ...tooMany,
  };

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/videos/{id}/run_sync',
      operationId: 'runSync',
      summary: 'Start the first run of a video',
      description:
        'Answers at once; 409 names the run that is active. A completed video is refused unless `force`, which also cancels an active run and starts when that one is gone.',
      middleware: access(deps, 'runSync'),
      request: { params: videoParams, headers: idempotencyHeaders, body: optionalBody(runInputSchema) },
      responses: started,
    }),
    async (c) => {
      const input = runInputSchema.parse(c.req.valid('json'));
      const { id } = c.req.valid('param');
      const answer = await startOnce(c, deps, same, 'run_sync', id, { ...input, steps: undefined });
      return c.json(answer, 202, { location: answer.status_url });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/videos/{id}/reprocess',
      operationId: 'reprocess',
      summary: 'Process a video again',
      description:
        'Takes a video that was processed, whatever came of it. `steps` of subtitles, poster and publish work on what is there; any other makes everything anew. What could be played before can be played until the new is whole.',
      middleware: access(deps, 'reprocess'),
      request: { params: videoParams, headers: idempotencyHeaders, body: optionalBody(reprocessInputSchema) },
      responses: started,
    }),
    async (c) => {
      const input = reprocessInputSchema.parse(c.req.valid('json'));
      const { id } = c.req.valid('param');
      const answer = await startOnce(c, deps, same, 'reprocess', id, { ...input, steps: input.steps });
      return c.json(answer, 202, { location: answer.status_url });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/videos/{id}/reprocess',
      operationId: 'getReprocess',
      summary: "Get the progress of a video's newest run",
      description: 'Of a video that was never processed: the initial state, with a null `task_id`.',
      middleware: access(deps, 'getReprocess'),
      request: { params: videoParams },
      responses: { 200: json(taskProgressResponseSchema, 'Progress, steps, estimate.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const video = await reachVideo(deps.store.videos, c.get('actor'), c.req.valid('param').id, 'read');
      const progress = await deps.desk.newestProgress('process', video.videoId);
      return c.json(progress ?? showInitial(video, deps.processingSteps), 200);
    },
  );
}

/** Through the gate; of equal calls at once, that would be told of each other, one goes for all. */
async function startOnce(
  c: Context<ProgressEnv>,
  deps: RouteDeps,
  same: SameSubmits<AsyncTaskResponse>,
  call: 'run_sync' | 'reprocess',
  videoId: string,
  wish: RunWish,
): Promise<AsyncTaskResponse> {
  const work = () => admit(deps, () => start(c, deps, call, videoId, wish));
  if (wish.force || c.req.header('idempotency-key') !== undefined) return work();
  const { ownerId, role } = c.get('actor');
  const key = JSON.stringify([ownerId, role, call, videoId, wish]);
  const { joined, value } = await same.run(key, work);
  if (joined) throw videoBusy({ jobId: value.task_id, subject: videoId, status: 'pending' });
  return value;
}

async function start(
  c: Context<ProgressEnv>,
  deps: RouteDeps,
  call: 'run_sync' | 'reprocess',
  videoId: string,
  wish: RunWish,
) {
  const action = call === 'run_sync' ? 'runSync' : 'reprocess';
  if (!wish.force && c.req.header('idempotency-key') === undefined) {
    // most of many callers at once are told without waiting for the row's lock; who is not, is checked under it
    const [, active] = await Promise.all([
      reachVideo(deps.store.videos, c.get('actor'), videoId, 'read'),
      deps.store.jobs.active('process', videoId),
    ]);
    if (active !== undefined) throw videoBusy(active);
  }
  const options = { action, status: 202, body: wish, subject: `video ${videoId}` };
  return mutateShared(c, deps, options, async (tx, nowMs) => {
    const video = await reachVideo(tx.videos, c.get('actor'), videoId, 'lock');
    const refusal = refuseRun(video, call, wish.force);
    if (refusal !== undefined) {
      const detail = refusal.reason;
      throw new ProblemError(problem(409, refusal.kind, 'The video cannot be run now', { detail }));
    }
    const submitted = await submitRun(tx, deps, video, wish, nowMs);
    switch (submitted.kind) {
      case 'accepted':
        return { resource: videoId, ownerId: video.ownerId, answer: showAccepted(submitted.job) };
      case 'conflict':
        throw videoBusy(submitted.active);
      case 'quota':
        throw tooManyJobs(submitted);
      default:
        return assertNever(submitted);
    }
  });
}

function videoBusy(active: Pick<JobSummary, 'jobId' | 'subject' | 'status'>): ProblemError {
  return runActive(active, { title: 'A run of the video is active', statusUrl: runUrl(active.subject) });
}
