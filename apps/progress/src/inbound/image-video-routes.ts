import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { asyncTaskResponseSchema, imageVideoInputSchema, videoStatusResponseSchema } from '@millrace/api';
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
import { type ImageRecord, runIsActive } from '../core/image.ts';
import { type ImageVideoWish, refuseImageVideo, submitImageVideo } from '../core/image-submission.ts';
import type { Transaction } from '../core/store.ts';
import type { VideoRecord } from '../core/video.ts';
import { takeVideoRoom } from '../core/video-room.ts';
import { access } from './access.ts';
import { admit } from './admission.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mayReach, reachImage } from './image-lookup.ts';
import { imageParams, imagesPath, runningJobs } from './image-routes.ts';
import { showImageRun, showImageStatus, videoPath } from './image-view.ts';
import { runActive, tooManyJobs } from './job-refusals.ts';
import { mutate } from './mutation.ts';
import { tooManyVideos } from './video-lookup.ts';

/** Routes that ask for the video of an image, and take the wish back. */
export function addImageVideoRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['images'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: `${imagesPath}/{name}/video`,
      operationId: 'createImageVideo',
      summary: 'Make a video of an image',
      description:
        'Answers at once; 409 names the run that is active, which `force` cancels first. An earlier video stays what is played until the new one is whole, and then has its content replaced: its id and URLs stay.',
      middleware: access(deps, 'createImageVideo'),
      request: { params: imageParams, headers: idempotencyHeaders, body: optionalBody(imageVideoInputSchema) },
      responses: {
        202: json(asyncTaskResponseSchema, 'Accepted; `Location` leads to its status.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...inTheWay,
        ...otherBody,
        ...tooMany,
      },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const wish: ImageVideoWish = imageVideoInputSchema.parse(c.req.valid('json'));
      const options = { action: 'createImageVideo', status: 202, body: wish };
      const take = () =>
        mutate(c, deps, options, async (tx, nowMs) => {
          const image = await reachImage(tx.images, c.get('actor'), name, 'lock');
          const heard = wish.audio_video_id === undefined ? undefined : await tx.videos.get(wish.audio_video_id);
          const audio = heard !== undefined && mayReach(c.get('actor'), heard.ownerId) ? heard : undefined;
          const submitted = await submit(tx, deps, image, wish, audio, nowMs);
          switch (submitted.kind) {
            case 'accepted':
              return { resource: name, ownerId: image.ownerId, answer: showImageRun(submitted.job) };
            case 'conflict':
              throw runActive(submitted.active, {
                title: 'The video is being made',
                statusUrl: videoPath(name),
              });
            case 'quota':
              throw tooManyJobs(submitted);
            default:
              return assertNever(submitted);
          }
        });
      const answer = await admit(deps, take);
      return c.json(answer, 202, { location: answer.status_url });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: `${imagesPath}/{name}/video/cancel`,
      operationId: 'cancelImageVideo',
      summary: 'Cancel the run that makes the video of an image',
      description:
        'The status goes back to what it was before, at once or when the processes are gone, within a second.',
      middleware: access(deps, 'cancelImageVideo'),
      request: { params: imageParams },
      responses: {
        202: json(videoStatusResponseSchema, 'The status now.'),
        ...needsLogin,
        ...notThere,
        ...inTheWay,
      },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const after = await mutate(c, deps, { action: 'cancelImageVideo' }, async (tx) => {
        const image = await reachImage(tx.images, c.get('actor'), name, 'lock');
        if (image.taskId === undefined || !runIsActive(image)) throw nothingActive(image);
        await deps.desk.cancel(tx, image.taskId);
        const cancelled = (await tx.images.get(name)) ?? image;
        return { resource: name, ownerId: image.ownerId, answer: cancelled };
      });
      const jobs = await runningJobs(deps, [after]);
      return c.json(showImageStatus(deps.publicUrl(), after, jobs.get(after.taskId ?? '')), 202);
    },
  );
}

async function submit(
  tx: Transaction,
  deps: RouteDeps,
  image: ImageRecord,
  wish: ImageVideoWish,
  audio: VideoRecord | undefined,
  nowMs: number,
) {
  const refusal = refuseImageVideo(image, wish, deps.images.providers, audio);
  if (refusal !== undefined) {
    const status = refusal.kind === 'no-picture' ? 409 : 422;
    const detail = refusal.reason;
    throw new ProblemError(problem(status, refusal.kind, 'The video cannot be made', { detail }));
  }
  // an active run has its place already
  if (image.video === undefined && !runIsActive(image)) {
    const room = await takeVideoRoom(tx, image.ownerId, deps.limits.maxVideosPerOwner);
    if (!room.ok) throw tooManyVideos(room.error);
  }
  return submitImageVideo(tx, deps.images, image, wish, audio, nowMs);
}

function nothingActive({ imgName, status }: ImageRecord): ProblemError {
  const detail = `expected a video that is pending or processing, that of ${imgName} is ${status}`;
  return new ProblemError(problem(409, 'nothing-active', 'No video is being made', { detail }));
}
