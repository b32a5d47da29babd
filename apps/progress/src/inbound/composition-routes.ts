import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  type Composition,
  compositionIdSchema,
  compositionInputSchema,
  compositionPageSchema,
  compositionSchema,
  pageQuerySchema,
} from '@millrace/api';
import { type Actor, confinedTo } from '@millrace/auth';
import {
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notFound,
  notThere,
  otherBody,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
  tooMany,
} from '@millrace/http';
import { assertNever } from '@millrace/result';
import { z } from 'zod';
import { composeSteps } from '../core/compose-pipeline.ts';
import type { CompositionRecord } from '../core/composition.ts';
import type { CompositionRows } from '../core/composition-rows.ts';
import { type CompositionRefusal, type CompositionWish, submitComposition } from '../core/composition-submission.ts';
import { access } from './access.ts';
import { admit } from './admission.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { compositionUrl, showComposition } from './composition-view.ts';
import { tooManyJobs } from './job-refusals.ts';
import { mutate, mutateShared } from './mutation.ts';
import { tooManyVideos } from './video-lookup.ts';

const compositionParams = z.object({ id: compositionIdSchema });

/** Routes of `/api/v1/compositions`. */
export function addCompositionRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['compositions'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/compositions',
      operationId: 'createComposition',
      summary: 'Join videos to a new one',
      description:
        'Answers at once. Videos that are alike are copied, those that are not are first brought to the format of the others, or of `target`. The output is a video of its own, private when one of the inputs is.',
      middleware: access(deps, 'createComposition'),
      request: { headers: idempotencyHeaders, body: body(compositionInputSchema) },
      responses: {
        202: json(compositionSchema, 'Accepted; `Location` leads to its progress.'),
        ...needsLogin,
        ...needsBody,
        ...inTheWay,
        ...otherBody,
        ...tooMany,
      },
    }),
    async (c) => {
      const input = compositionInputSchema.parse(c.req.valid('json'));
      const actor = c.get('actor');
      const options = { action: 'createComposition', status: 202, body: input, subject: undefined };
      const wish = wishOf(input, actor.ownerId, deps.limits.maxVideosPerOwner);
      const take = () =>
        mutateShared(c, deps, options, async (tx, nowMs) => {
          const taken = await submitComposition(tx, deps, wish, confinedTo(actor), nowMs);
          if (!taken.ok) throw refused(taken.error);
          const { composition } = taken.value;
          const shown = { ...showComposition(deps.publicUrl(), composition, nothingAround), steps: initialSteps() };
          return { resource: composition.compositionId, ownerId: composition.ownerId, answer: shown };
        });
      const answer = await admit(deps, take);
      return c.json(answer, 202, { location: compositionUrl(answer.composition_id) });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/compositions',
      operationId: 'listCompositions',
      summary: 'List compositions, the newest first',
      middleware: access(deps, 'listCompositions'),
      request: { query: pageQuerySchema },
      responses: { 200: json(compositionPageSchema, 'A page of compositions.'), ...needsLogin },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const rows = await deps.store.compositions.list(confinedTo(c.get('actor')), pageRequest(query));
      const page = pageOfRows(
        rows,
        query.limit,
        (row) => row.compositionId,
        (row) => row,
      );
      return c.json({ items: [...(await showAll(deps, page.items))], next_cursor: page.next_cursor }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/compositions/{id}',
      operationId: 'getComposition',
      summary: 'Get a composition: steps, progress, estimate, output',
      middleware: access(deps, 'getComposition'),
      request: { params: compositionParams },
      responses: { 200: json(compositionSchema, 'The composition.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const composition = await reachComposition(deps.store.compositions, c.get('actor'), id, 'read');
      return c.json(await showOne(deps, composition), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/compositions/{id}/cancel',
      operationId: 'cancelComposition',
      summary: 'Cancel a composition that waits or runs',
      description:
        'One that waits has ended with the answer; of one that runs the processes are stopped first, within a second. After the end it is refused with 409 and the state.',
      middleware: access(deps, 'cancelComposition'),
      request: { params: compositionParams },
      responses: {
        202: json(compositionSchema, 'The composition, cancelled or `cancelling`.'),
        ...needsLogin,
        ...notThere,
        ...inTheWay,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      await mutate(c, deps, { action: 'cancelComposition' }, async (tx) => {
        const composition = await reachComposition(tx.compositions, c.get('actor'), id, 'lock');
        const { kind, job } = await deps.desk.cancel(tx, composition.taskId);
        switch (kind) {
          case 'cancelled':
          case 'cancelling':
            return { resource: id, ownerId: composition.ownerId, answer: undefined };
          case 'ended':
          case 'unknown': // its job was removed some time after its end
            throw hasEnded(id, job?.status ?? composition.status);
          default:
            return assertNever(kind);
        }
      });
      const after = await reachComposition(deps.store.compositions, c.get('actor'), id, 'read');
      return c.json(await showOne(deps, after), 202);
    },
  );
}

/** The composition if it is there and the actor may reach it; otherwise refuses with 404. `lock`: takes its row lock. */
async function reachComposition(
  rows: CompositionRows,
  actor: Actor,
  compositionId: string,
  how: 'read' | 'lock',
): Promise<CompositionRecord> {
  const composition = how === 'lock' ? await rows.lock(compositionId) : await rows.get(compositionId);
  const owner = confinedTo(actor);
  if (composition === undefined || (owner !== undefined && composition.ownerId !== owner)) {
    throw notFound('composition', compositionId);
  }
  return composition;
}

const nothingAround = { job: undefined, video: undefined };

/** Steps of a job that was only just accepted. */
function initialSteps(): Composition['steps'] {
  return composeSteps.map(({ name, weight }) => ({
    ...{ name, weight, status: 'pending', progress: 0, reason: null, started_at: null, finished_at: null },
  }));
}

async function showOne(deps: RouteDeps, composition: CompositionRecord): Promise<Composition> {
  const [shown] = await showAll(deps, [composition]);
  if (shown === undefined) throw new Error(`${composition.compositionId}: expected to show it`);
  return shown;
}

async function showAll(deps: RouteDeps, rows: readonly CompositionRecord[]): Promise<readonly Composition[]> {
  const outputs = rows.flatMap((row) => row.output?.videoId ?? []);
  const [records, videos] = await Promise.all([
    rows.length === 0 ? [] : deps.store.jobs.getMany(rows.map((row) => row.taskId)),
    outputs.length === 0 ? [] : deps.store.videos.getMany(outputs),
  ]);
  const jobs = new Map((await deps.desk.show(records)).map((job) => [job.task_id, job]));
  const videoById = new Map(videos.map((video) => [video.videoId, video]));
  return rows.map((row) =>
    showComposition(deps.publicUrl(), row, {
      job: jobs.get(row.taskId),
      video: videoById.get(row.output?.videoId ?? ''),
    }),
  );
}

function wishOf(input: z.output<typeof compositionInputSchema>, ownerId: string, mostVideos: number): CompositionWish {
  return {
    ...{ ownerId, mostVideos },
    title: input.title,
    items: input.videos.map((video) =>
      typeof video === 'string'
        ? { videoId: video, startMs: undefined, endMs: undefined }
        : { videoId: video.video_id, startMs: video.start_ms, endMs: video.end_ms },
    ),
    transition: { kind: input.transition?.kind ?? 'cut', durationMs: input.transition?.duration_ms ?? 0 },
    target:
      input.target === undefined
        ? null
        : { ...input.target, frames_per_second: input.target.frames_per_second ?? null },
    evenLoudness: input.even_loudness,
    priority: input.priority,
  };
}

function refused(refusal: CompositionRefusal): ProblemError {
  if (refusal.kind === 'quota') return tooManyJobs(refusal);
  if (refusal.kind === 'too-many-videos') return tooManyVideos(refusal);
  const { faults } = refusal;
  const detail = faults.map(({ expected, got }) => `expected ${expected}, got ${got}`).join('; ');
  const errors = faults.map(({ path, expected, got }) => ({ path, expected, got }));
  return new ProblemError(problem(422, 'composition-refused', 'The videos cannot be joined', { detail, errors }));
}

function hasEnded(id: string, status: string): ProblemError {
  const detail = `expected a composition that is pending or processing, ${id} is ${status}`;
  const where = { detail, status_url: compositionUrl(id) };
  return new ProblemError(problem(409, 'composition-ended', 'The composition has ended', where));
}
