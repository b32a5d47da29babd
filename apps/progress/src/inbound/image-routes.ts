import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  imageInputSchema,
  imageListQuerySchema,
  imageNameSchema,
  imagePageSchema,
  imageSchema,
  imageUploadQuerySchema,
} from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { record, tombstone } from '@millrace/eventlog';
import { imagesTopic } from '@millrace/events';
import {
  bearer,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notThere,
  otherBody,
  ProblemError,
  problem,
} from '@millrace/http';
import { z } from 'zod';
import { type ImageRecord, imageStateOf, newImage, pictureAsked, runIsActive } from '../core/image.ts';
import { removeImage } from '../core/image-removal.ts';
import type { Transaction } from '../core/store.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { timed } from './image-context.ts';
import { nameCursor, namePage, reachImage, takesPicture } from './image-lookup.ts';
import { imagePath, showImage } from './image-view.ts';
import { mutate } from './mutation.ts';

export const imagesPath = '/api/v1/images';
export const imageParams = z.object({ name: imageNameSchema });
export const pictureBody = z.string().meta({ format: 'binary' });

/** Routes of `/api/v1/images`, without the videos made of them. Pictures come in by `createPictureApi`, and out by `addPictureRoutes`. */
export function addImageRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['images'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: imagesPath,
      operationId: 'listImages',
      summary: 'List images by name',
      middleware: access(deps, 'listImages'),
      request: { query: imageListQuerySchema },
      responses: { 200: json(imagePageSchema, 'A page of images.'), ...needsLogin },
    }),
    async (c) => {
      const { video_status: status, source_type: sourceType, has_video, name: prefix, ...query } = c.req.valid('query');
      const hasVideo = has_video === undefined ? undefined : has_video === 'true';
      const filter = { ownerId: confinedTo(c.get('actor')), status, sourceType, hasVideo, prefix };
      const rows = await timed(deps, 'list', () => deps.store.images.list(filter, namePage(query)));
      const shown = rows.slice(0, query.limit);
      const jobs = await runningJobs(deps, shown);
      const last = shown.at(-1);
      const more = rows.length > query.limit && last !== undefined;
      const items = shown.map((image) => showImage(deps.publicUrl(), image, jobs.get(image.taskId ?? '')));
      return c.json({ items, next_cursor: more ? nameCursor(last.imgName) : null }, 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: imagesPath,
      operationId: 'createImage',
      summary: 'Register an image, or upload its picture',
      description:
        'JSON registers an image by its name; with `url`, of a new image or one without a picture, the picture is fetched from there after the answer, which then is 202. A body of image/jpeg, image/png, image/webp or image/gif with `?img_name=` uploads a picture: of a new image, or of one that was registered by name only. What the picture is, its bytes say.',
      middleware: access(deps, 'createImage'),
      request: {
        headers: idempotencyHeaders,
        query: imageUploadQuerySchema,
        body: {
          required: true,
          content: { 'application/json': { schema: imageInputSchema }, 'image/*': { schema: pictureBody } },
        },
      },
      responses: {
        201: json(imageSchema, 'The image; no video was asked of it yet.'),
        202: json(imageSchema, 'The image; its picture is on its way (`picture_state`).'),
        ...needsLogin,
        ...needsBody,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const input = imageInputSchema.parse(c.req.valid('json'));
      const { ownerId } = c.get('actor');
      const { img_name: imgName, url } = input;
      const refusal = url === undefined ? undefined : refuseUrl(deps, url);
      if (refusal !== undefined) {
        throw new ProblemError(problem(422, 'url-refused', 'The URL cannot be imported', { detail: refusal }));
      }
      const status = url === undefined ? 201 : 202;
      const answer = await mutate(c, deps, { action: 'createImage', status, body: input }, async (tx, nowMs) => {
        const known = url === undefined ? undefined : await tx.images.lock(imgName);
        const image = known === undefined ? await register(tx, deps, input, ownerId, nowMs) : known;
        if (!takesPicture(c.get('actor'), image) || image.pictureImport?.kind === 'importing') throw nameTaken(imgName);
        const asked = url === undefined ? image : pictureAsked(image, nowMs);
        if (url !== undefined) {
          await tx.images.save(asked, []);
          await deps.images.imports?.start(tx, asked, url, nowMs);
        }
        await tx.publish([record(imagesTopic, imageStateOf(asked))]);
        return { resource: imgName, ownerId: asked.ownerId, answer: showImage(deps.publicUrl(), asked, undefined) };
      });
      const location = { location: imagePath(imgName) };
      return url === undefined ? c.json(answer, 201, location) : c.json(answer, 202, location);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}`,
      operationId: 'getImage',
      summary: 'Get an image',
      middleware: access(deps, 'getImage'),
      request: { params: imageParams },
      responses: { 200: json(imageSchema, 'The image.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const image = await timed(deps, 'get', () => reachImage(deps.store.images, c.get('actor'), name, 'read'));
      const jobs = await runningJobs(deps, [image]);
      return c.json(showImage(deps.publicUrl(), image, jobs.get(image.taskId ?? '')), 200);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: `${imagesPath}/{name}`,
      operationId: 'deleteImage',
      summary: 'Delete an image with its picture and its history',
      description: 'A run is cancelled. A video that was made of it stays: it is deleted like any other.',
      middleware: access(deps, 'deleteImage'),
      request: { params: imageParams },
      responses: { 204: { description: 'It is gone.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      await mutate(c, deps, { action: 'deleteImage' }, async (tx, nowMs) => {
        const image = await reachImage(tx.images, c.get('actor'), name, 'lock');
        await removeImage(tx, deps.desk, image, nowMs);
        await tx.publish([tombstone(imagesTopic, name)]);
        return { resource: name, ownerId: image.ownerId, answer: undefined };
      });
      return c.body(null, 204);
    },
  );
}

/** Enters an image by its name. */
async function register(
  tx: Transaction,
  deps: RouteDeps,
  input: z.output<typeof imageInputSchema>,
  ownerId: string,
  nowMs: number,
): Promise<ImageRecord> {
  const { img_name: imgName, source_type: sourceType, prompt, parameters } = input;
  const image = newImage({ imgName, ownerId, sourceType, prompt, parameters }, nowMs);
  const { perOwner } = deps.images.limits;
  if (!(await tx.images.takeRoom(ownerId, { images: 1, bytes: 0 }, perOwner))) throw tooManyImages(perOwner);
  if (!(await tx.images.insert(image))) throw nameTaken(imgName);
  return image;
}

function refuseUrl({ images }: RouteDeps, url: string): string | undefined {
  if (images.imports === undefined) return 'imports are switched off here: upload the picture';
  return images.imports.refuse(url);
}

/** The jobs that wait or run for these images, by id. */
export async function runningJobs(deps: Pick<RouteDeps, 'store'>, images: readonly ImageRecord[]) {
  const active = images.flatMap((image) => (runIsActive(image) ? (image.taskId ?? []) : []));
  const jobs = active.length === 0 ? [] : await deps.store.jobs.getMany(active);
  return new Map(jobs.map((job) => [job.jobId, job]));
}

export function nameTaken(imgName: string): ProblemError {
  const detail = `expected a name that no image has, ${imgName} is taken`;
  return new ProblemError(problem(409, 'image-exists', 'There is such an image', { detail }));
}

export function tooManyImages(most: { readonly images: number; readonly bytes: number }): ProblemError {
  const detail = `expected at most ${most.images} images of ${most.bytes} bytes of one owner: delete one first`;
  return new ProblemError(problem(409, 'too-many-images', 'Too many images', { detail }));
}
