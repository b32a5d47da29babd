import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  createdVideoSchema,
  videoIdSchema,
  videoInputSchema,
  videoListQuerySchema,
  videoPageSchema,
  videoPatchSchema,
  videoSchema,
  videoStatusSchema,
} from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { record, tombstone } from '@millrace/eventlog';
import { videosTopic } from '@millrace/events';
import {
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notThere,
  otherBody,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
} from '@millrace/http';
import { newId } from '@millrace/ids';
import { z } from 'zod';
import { releaseVideo } from '../core/image-removal.ts';
import type { ImportProgress } from '../core/import-rows.ts';
import { changeVideo, currentTaskId, newVideo, stateOf, type VideoRecord } from '../core/video.ts';
import { removeVideo } from '../core/video-removal.ts';
import { takeVideoRoom } from '../core/video-room.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { reachVideo, tooManyVideos } from './video-lookup.ts';
import { showStatus, showVideo } from './video-view.ts';

export const videoParams = z.object({ id: videoIdSchema });
/** Where a tus client creates an upload. */
export const uploadsPath = '/api/v1/uploads';

/** Routes of `/api/v1/videos`, without those that start a run. */
export function addVideoRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['videos'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/videos',
      operationId: 'listVideos',
      summary: 'List videos, the newest first',
      middleware: access(deps, 'listVideos'),
      request: { query: videoListQuerySchema },
      responses: { 200: json(videoPageSchema, 'A page of videos.'), ...needsLogin },
    }),
    async (c) => {
      const { status, origin, title, ...query } = c.req.valid('query');
      const filter = { ownerId: confinedTo(c.get('actor')), status, origin, title };
      const rows = await deps.store.videos.list(filter, pageRequest(query));
      const active = rows.flatMap((video) => currentTaskId(video) ?? []);
      const jobs = active.length === 0 ? [] : await deps.store.jobs.getMany(active);
      const byId = new Map(jobs.map((job) => [job.jobId, job]));
      const coming = await comingOf(deps, rows);
      return c.json(
        pageOfRows(
          rows,
          query.limit,
          (video) => video.videoId,
          (video) =>
            showVideo(deps.publicUrl(), video, byId.get(currentTaskId(video) ?? ''), coming.get(video.videoId)),
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/videos',
      operationId: 'createVideo',
      summary: 'Create a video, to be uploaded or imported',
      description: 'With `url` the original is imported from there; without, it is uploaded by tus to `upload_url`.',
      middleware: access(deps, 'createVideo'),
      request: { headers: idempotencyHeaders, body: body(videoInputSchema) },
      responses: {
        201: json(createdVideoSchema, 'The video, without its original yet.'),
        ...needsLogin,
        ...needsBody,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const input = c.req.valid('json');
      const { ownerId } = c.get('actor');
      const { url } = input;
      const refusal = url === undefined ? undefined : (deps.imports?.refuse(url) ?? importsOff(deps));
      if (refusal !== undefined) {
        throw new ProblemError(problem(422, 'url-refused', 'The URL cannot be imported', { detail: refusal }));
      }
      const answer = await mutate(c, deps, { action: 'createVideo', status: 201, body: input }, async (tx, nowMs) => {
        const room = await takeVideoRoom(tx, ownerId, deps.limits.maxVideosPerOwner);
        if (!room.ok) throw tooManyVideos(room.error);
        const video = newVideo(
          {
            videoId: newId('vid', deps.idSource),
            playbackId: newId('play', deps.idSource),
            ...{ ownerId, title: input.title, visibility: input.visibility, language: input.language },
            origin: url === undefined ? 'upload' : 'import',
            sourceState: url === undefined ? 'uploading' : 'importing',
            processOnSource: input.process,
          },
          nowMs,
        );
        await tx.videos.insert(video);
        await tx.publish([record(videosTopic, stateOf(video))]);
        if (url !== undefined) await deps.imports?.start(tx, video, url, nowMs);
        const created = {
          video: showVideo(deps.publicUrl(), video, undefined, undefined),
          upload_url: url === undefined ? uploadsPath : null,
        };
        return { resource: video.videoId, ownerId, answer: created };
      });
      return c.json(answer, 201, { location: `/api/v1/videos/${answer.video.video_id}` });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/videos/{id}',
      operationId: 'getVideo',
      summary: 'Get a video with its playback URLs',
      middleware: access(deps, 'getVideo'),
      request: { params: videoParams },
      responses: { 200: json(videoSchema, 'The video.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const video = await reachVideo(deps.store.videos, c.get('actor'), c.req.valid('param').id, 'read');
      return c.json(await shown(deps, video), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/videos/{id}/status',
      operationId: 'getVideoStatus',
      summary: "Get the status of a video's newest run",
      middleware: access(deps, 'getVideoStatus'),
      request: { params: videoParams },
      responses: { 200: json(videoStatusSchema, 'The status.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const video = await reachVideo(deps.store.videos, c.get('actor'), c.req.valid('param').id, 'read');
      return c.json(showStatus(video, await runningJob(deps, video)), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path: '/api/v1/videos/{id}',
      operationId: 'updateVideo',
      summary: 'Change a video',
      description: 'Title and visibility count at once; the language from the next run on.',
      middleware: access(deps, 'updateVideo'),
      request: { params: videoParams, body: body(videoPatchSchema) },
      responses: {
        200: json(videoSchema, 'The video after the change.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      const changed = await mutate(c, deps, { action: 'updateVideo' }, async (tx, nowMs) => {
        const video = await reachVideo(tx.videos, c.get('actor'), id, 'lock');
        const next = changeVideo(video, change, nowMs);
        await tx.videos.save(next);
        await tx.publish([record(videosTopic, stateOf(next))]);
        return { resource: id, ownerId: next.ownerId, answer: next };
      });
      return c.json(await shown(deps, changed), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/v1/videos/{id}',
      operationId: 'deleteVideo',
      summary: 'Delete a video with all of its files',
      description: 'What runs for it is cancelled, an upload of it ends. The files are removed within seconds.',
      middleware: access(deps, 'deleteVideo'),
      request: { params: videoParams },
      responses: { 204: { description: 'It is gone.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      await mutate(c, deps, { action: 'deleteVideo' }, async (tx, nowMs) => {
        await releaseVideo(tx, deps.desk, id, nowMs);
        const video = await reachVideo(tx.videos, c.get('actor'), id, 'lock');
        await removeVideo(tx, deps.desk, video, nowMs);
        await tx.publish([tombstone(videosTopic, id)]);
        return { resource: id, ownerId: video.ownerId, answer: undefined };
      });
      return c.body(null, 204);
    },
  );
}

async function shown(deps: RouteDeps, video: VideoRecord) {
  const [job, coming] = [await runningJob(deps, video), await comingOf(deps, [video])];
  return showVideo(deps.publicUrl(), video, job, coming.get(video.videoId));
}

/** What has come of the originals that are on their way. */
function comingOf(deps: RouteDeps, videos: readonly VideoRecord[]): Promise<ReadonlyMap<string, ImportProgress>> {
  const importing = videos.filter(({ sourceState }) => sourceState === 'importing');
  return deps.store.imports.progressOf(importing.map(({ videoId }) => videoId));
}

async function runningJob(deps: RouteDeps, video: Parameters<typeof currentTaskId>[0]) {
  const taskId = currentTaskId(video);
  return taskId === undefined ? undefined : deps.desk.summary(taskId);
}

function importsOff(deps: RouteDeps): string | undefined {
  return deps.imports === undefined ? 'imports are switched off here: upload the file' : undefined;
}
