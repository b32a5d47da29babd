/**
 * `POST /api/v1/images?img_name=` with a body of image/*: the picture goes to the media store as it comes, and is looked at while it goes
 * by. It is described with the other routes of images; it is an app of its own, as its body has its own bounds.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { type Image, imageUploadQuerySchema } from '@millrace/api';
import { record } from '@millrace/eventlog';
import { imagesTopic } from '@millrace/events';
import { createApiApp, ProblemError, problem } from '@millrace/http';
import { newId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { StoreFailure } from '@millrace/media-store';
import { isRetryable } from '@millrace/postgres';
import type { Context } from 'hono';
import { type ImageRecord, imageStateOf, newImage } from '../core/image.ts';
import { enterPicture } from '../core/picture-arrival.ts';
import type { PictureRefusal } from '../core/picture-reader.ts';
import type { Transaction } from '../core/store.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { takesPicture } from './image-lookup.ts';
import { imagesPath, nameTaken, tooManyImages } from './image-routes.ts';
import { imagePath, showImage } from './image-view.ts';
import { mutate } from './mutation.ts';
import { type StoredPicture, storePicture } from './picture-intake.ts';
import { requestTimes } from './request-times.ts';

/** A picture whose writer died is removed after this, ms; longer than any upload lasts. */
const abandonedMs = 3_600_000;

/** Whether a request brings a picture. */
export function bringsPicture(request: Request): boolean {
  return request.method === 'POST' && (request.headers.get('content-type') ?? '').startsWith('image/');
}

export function createPictureApi(deps: RouteDeps, log: Logger): OpenAPIHono<ProgressEnv> {
  const app = createApiApp<ProgressEnv>({ log, idSource: deps.idSource, isOutage: isRetryable, limitsBody: false });
  app.use('*', requestTimes(deps, log));
  app.post(imagesPath, access(deps, 'createImage'), async (c) => {
    const query = imageUploadQuerySchema.safeParse(c.req.query());
    const imgName = query.data?.img_name;
    if (imgName === undefined) {
      const detail = 'expected ?img_name= with a name of letters, digits, ".", "_", "-"';
      throw new ProblemError(problem(400, 'invalid-request', 'Invalid request', { detail }));
    }
    // said before the picture has come, and once more, with the row's lock, when it has
    const known = await deps.store.images.get(imgName);
    if (known !== undefined && !takesPicture(c.get('actor'), known)) throw nameTaken(imgName);

    const key = `images/${imgName}/${newId('img', deps.idSource)}`;
    const { cleanups } = deps.store;
    await cleanups.add([{ key }], deps.clock.nowMs() + abandonedMs);
    const stored = await store(c, deps, key);
    try {
      const answer = await mutate(c, deps, { action: 'createImage' }, async (tx, nowMs) => {
        const image = await keep(c, deps, tx, { imgName, sourceType: query.data?.source_type, ...stored }, nowMs);
        const shown: Image = showImage(deps.publicUrl(), image, undefined);
        return { resource: imgName, ownerId: image.ownerId, answer: shown };
      });
      return c.json(answer, 201, { location: imagePath(imgName) });
    } catch (error) {
      await cleanups.add([{ key }], deps.clock.nowMs()).catch(() => {}); // else it goes with the abandoned ones
      throw error;
    }
  });
  return app;
}

/** Enters the picture: of a new image, or of one that has none. */
async function keep(
  c: Context<ProgressEnv>,
  deps: RouteDeps,
  tx: Transaction,
  { imgName, sourceType, ...stored }: StoredPicture & { imgName: string; sourceType: string | undefined },
  nowMs: number,
): Promise<ImageRecord> {
  const { perOwner } = deps.images.limits;
  tx.afterCommit(() => deps.images.onPicture());
  const known = await tx.images.lock(imgName);
  if (known !== undefined) {
    if (!takesPicture(c.get('actor'), known)) throw nameTaken(imgName);
    const image = await enterPicture(tx, known, stored, perOwner, nowMs);
    if (image === undefined) throw tooManyImages(perOwner);
    return image;
  }
  const { ownerId } = c.get('actor');
  const { picture, sizeBytes } = stored;
  const room = { images: 1, bytes: sizeBytes };
  if (!(await tx.images.takeRoom(ownerId, room, perOwner))) throw tooManyImages(perOwner);
  const named = { imgName, ownerId, sourceType: sourceType ?? 'upload', prompt: undefined, parameters: {} };
  const image = newImage({ ...named, picture, sizeBytes }, nowMs);
  if (!(await tx.images.insert(image))) throw nameTaken(imgName);
  await tx.cleanups.withdraw(picture.key);
  await tx.publish([record(imagesTopic, imageStateOf(image))]);
  return image;
}

/** Stores the body of the request; refuses what is no picture, or is too large. */
async function store(c: Context<ProgressEnv>, deps: RouteDeps, key: string): Promise<StoredPicture> {
  const { limits, metrics } = deps.images;
  const said = Number(c.req.header('content-length') ?? 0);
  if (said > limits.maxBytes) {
    metrics.picturesRefused.inc({ reason: 'picture-too-large' });
    const reason = `expected a picture of at most ${limits.maxBytes} bytes, got ${said}`;
    throw refusedPicture({ kind: 'picture-too-large', reason });
  }
  const stored = await storePicture(deps.images, key, c.req.raw.body);
  if (stored.ok) return stored.value;
  throw 'reason' in stored.error ? refusedPicture(stored.error) : notStored(stored.error);
}

function refusedPicture({ kind, reason }: PictureRefusal): ProblemError {
  const status = kind === 'picture-too-large' ? 413 : 422;
  return new ProblemError(problem(status, kind, 'The picture was refused', { detail: reason }));
}

function notStored(failure: StoreFailure): ProblemError {
  if (failure.kind === 'full') {
    const detail = 'the media store has no space left';
    return new ProblemError(problem(507, 'store-full', 'No space left', { detail }));
  }
  const detail = 'the picture could not be stored: try again shortly';
  return new ProblemError(problem(503, 'unavailable', 'Unavailable', { detail }), { 'retry-after': '1' });
}
