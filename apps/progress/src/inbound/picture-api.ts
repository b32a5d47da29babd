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
import type { Result } from '@millrace/result';
import type { Context } from 'hono';
import { type ImageRecord, imageStateOf, newImage, type Picture } from '../core/image.ts';
import { PictureReader, type PictureRefusal } from '../core/picture-reader.ts';
import type { Transaction } from '../core/store.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mayReach } from './image-lookup.ts';
import { imagesPath, nameTaken, tooManyImages } from './image-routes.ts';
import { imagePath, showImage } from './image-view.ts';
import { mutate } from './mutation.ts';
import { requestTimes } from './request-times.ts';

/** A picture whose writer died is removed after this, ms; longer than any upload lasts. */
const abandonedMs = 3_600_000;

type Stored = { readonly picture: Picture; readonly sizeBytes: number };

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
    if (known !== undefined && !takesPicture(c, known)) throw nameTaken(imgName);

    const key = `images/${imgName}/${newId('img', deps.idSource)}`;
    const { cleanups } = deps.store;
    await cleanups.add([{ key }], deps.clock.nowMs() + abandonedMs);
    const stored = await store(c, deps, key);
    try {
      const answer = await mutate(c, deps, { action: 'createImage' }, async (tx, nowMs) => {
        const image = await keep(c, deps, tx, { imgName, sourceType: query.data?.source_type, ...stored }, nowMs);
        await tx.cleanups.withdraw(key);
        await tx.publish([record(imagesTopic, imageStateOf(image))]);
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
  { imgName, sourceType, picture, sizeBytes }: Stored & { imgName: string; sourceType: string | undefined },
  nowMs: number,
): Promise<ImageRecord> {
  const { perOwner } = deps.images.limits;
  const known = await tx.images.lock(imgName);
  if (known !== undefined) {
    if (!takesPicture(c, known)) throw nameTaken(imgName);
    if (!(await tx.images.takeRoom(known.ownerId, { images: 0, bytes: sizeBytes }, perOwner)))
      throw tooManyImages(perOwner);
    const image = { ...known, picture, sizeBytes, updatedAtMs: Math.max(nowMs, known.updatedAtMs) };
    await tx.images.save(image, []);
    return image;
  }
  const { ownerId } = c.get('actor');
  const room = { images: 1, bytes: sizeBytes };
  if (!(await tx.images.takeRoom(ownerId, room, perOwner))) throw tooManyImages(perOwner);
  const named = { imgName, ownerId, sourceType: sourceType ?? 'upload', prompt: undefined, parameters: {} };
  const image = newImage({ ...named, picture, sizeBytes }, nowMs);
  if (!(await tx.images.insert(image))) throw nameTaken(imgName);
  return image;
}

function takesPicture(c: Context<ProgressEnv>, image: ImageRecord): boolean {
  return image.picture === undefined && mayReach(c.get('actor'), image.ownerId);
}

/** Puts the body into the media store; what is no picture, or is too large, never becomes an object. */
async function store(c: Context<ProgressEnv>, deps: RouteDeps, key: string): Promise<Stored> {
  const { mediaStore, limits, metrics } = deps.images;
  const refuse = (refusal: PictureRefusal): ProblemError => {
    metrics.picturesRefused.inc({ reason: refusal.kind });
    const status = refusal.kind === 'picture-too-large' ? 413 : 422;
    return new ProblemError(problem(status, refusal.kind, 'The picture was refused', { detail: refusal.reason }));
  };
  const said = Number(c.req.header('content-length') ?? 0);
  if (said > limits.maxBytes) {
    const reason = `expected a picture of at most ${limits.maxBytes} bytes, got ${said}`;
    throw refuse({ kind: 'picture-too-large', reason });
  }
  const reader = new PictureReader(limits);
  const { body } = c.req.raw;
  // a store says of a body that breaks off what it says of any failure
  const refused: PictureRefusal[] = [];
  const check = (result: Result<unknown, PictureRefusal>) => {
    if (result.ok) return;
    refused.push(result.error);
    throw new Error(result.error.reason);
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (body !== null) {
      for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
        check(reader.feed(piece));
        yield piece;
      }
    }
    check(reader.end());
  }
  const kept = await mediaStore.put(key, pieces()).catch((error: unknown) => {
    if (refused.length === 0) throw error;
    return undefined;
  });
  for (const refusal of refused) throw refuse(refusal);
  if (kept?.ok === false) throw notStored(kept.error);
  const facts = reader.end();
  if (!facts.ok) throw refuse(facts.error);
  const { contentType, width, height, orientation, sizeBytes } = facts.value;
  return { picture: { key, contentType, width, height, orientation }, sizeBytes };
}

function notStored(failure: StoreFailure): ProblemError {
  if (failure.kind === 'full') {
    const detail = 'the media store has no space left';
    return new ProblemError(problem(507, 'store-full', 'No space left', { detail }));
  }
  const detail = 'the picture could not be stored: try again shortly';
  return new ProblemError(problem(503, 'unavailable', 'Unavailable', { detail }), { 'retry-after': '1' });
}
