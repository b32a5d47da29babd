import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  hasVideoSchema,
  imageHistoryQuerySchema,
  imageHistorySchema,
  imageStatusBatchInputSchema,
  imageStatusBatchSchema,
  videoStatusResponseSchema,
} from '@millrace/api';
import { bearer, body, json, needsBody, needsLogin, notFound, notThere } from '@millrace/http';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { timed } from './image-context.ts';
import { mayReach, reachImage } from './image-lookup.ts';
import { imageParams, imagesPath, runningJobs } from './image-routes.ts';
import { showHistory, showImageStatus } from './image-view.ts';

/** Routes that say what became of the videos of images. */
export function addImageStatusRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['images'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}/video`,
      operationId: 'getImageVideo',
      summary: 'Get the status of the video of an image',
      middleware: access(deps, 'getImageVideo'),
      request: { params: imageParams },
      responses: { 200: json(videoStatusResponseSchema, 'The status.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const image = await timed(deps, 'status', () => reachImage(deps.store.images, c.get('actor'), name, 'read'));
      const jobs = await runningJobs(deps, [image]);
      return c.json(showImageStatus(deps.publicUrl(), image, jobs.get(image.taskId ?? '')), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}/has_video`,
      operationId: 'getImageHasVideo',
      summary: 'Say whether an image has a video',
      description: 'One read of one table.',
      middleware: access(deps, 'getImageHasVideo'),
      request: { params: imageParams },
      responses: { 200: json(hasVideoSchema, 'Whether it has one.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const found = await timed(deps, 'has_video', () => deps.store.images.hasVideo(name));
      if (found === undefined || !mayReach(c.get('actor'), found.ownerId)) throw notFound('image', name);
      return c.json({ img_name: name, has_video: found.hasVideo }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: `${imagesPath}/video-status`,
      operationId: 'getImageVideoStatuses',
      summary: 'Get the status of the videos of up to 1,000 images',
      middleware: access(deps, 'getImageVideoStatuses'),
      request: { body: body(imageStatusBatchInputSchema) },
      responses: {
        200: json(imageStatusBatchSchema, 'The statuses by name, and the names that no image of yours has.'),
        ...needsLogin,
        ...needsBody,
      },
    }),
    async (c) => {
      const names = [...new Set(c.req.valid('json').img_names)];
      const found = await timed(deps, 'batch', () => deps.store.images.getMany(names));
      const own = found.filter((image) => mayReach(c.get('actor'), image.ownerId));
      const jobs = await runningJobs(deps, own);
      const known = new Set(own.map((image) => image.imgName));
      const items = own.map((image) => showImageStatus(deps.publicUrl(), image, jobs.get(image.taskId ?? '')));
      return c.json({ items, unknown: names.filter((name) => !known.has(name)) }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}/history`,
      operationId: 'getImageHistory',
      summary: 'List the changes of the status, the newest first',
      middleware: access(deps, 'getImageHistory'),
      request: { params: imageParams, query: imageHistoryQuerySchema },
      responses: { 200: json(imageHistorySchema, 'The changes.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const { limit, before } = c.req.valid('query');
      await reachImage(deps.store.images, c.get('actor'), name, 'read');
      const changes = await timed(deps, 'history', () => deps.store.images.history(name, limit, before));
      return c.json(showHistory(changes), 200);
    },
  );
}
