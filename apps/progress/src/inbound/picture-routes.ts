/** Pictures of images and their thumbnails, as they are asked for. */
import { Readable } from 'node:stream';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { equalSecrets, hashSecret } from '@millrace/auth';
import { bearer, needsLogin, notFound, notThere, ProblemError, problem } from '@millrace/http';
import type { Context, Next } from 'hono';
import { z } from 'zod';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { reachImage } from './image-lookup.ts';
import { imageParams, imagesPath, pictureBody } from './image-routes.ts';
import { versionOf } from './image-view.ts';

/** For who may see it now: asked for again each time, and sent once. */
const askedAgain = 'private, max-age=0, must-revalidate';
/** An address with its version always means the same bytes. */
const kept = 'private, max-age=31536000, immutable';

const notChanged = { 304: { description: 'The picture of If-None-Match.' } };

export function addPictureRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['images'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}/source`,
      operationId: 'getImageSource',
      summary: 'Get the picture',
      description: 'With `access`, which a provider is given, without a token while the run lasts.',
      middleware: async (c: Context<ProgressEnv, string>, next: Next) => {
        const given = c.req.query('access');
        if (given === undefined) return access(deps, 'getImageSource')(c, next);
        const image = await deps.store.images.get(c.req.param('name') ?? '');
        const expected = image?.accessSha256;
        if (expected === undefined || !equalSecrets(hashSecret(given), expected)) {
          throw new ProblemError(problem(401, 'access-refused', 'Not allowed', { detail: 'the access word is over' }));
        }
        c.set('actor', { ownerId: image?.ownerId ?? '', role: 'viewer' });
        return next();
      },
      request: { params: imageParams, query: z.object({ access: z.string().max(200).optional() }) },
      responses: {
        200: { description: 'The picture.', content: { 'image/*': { schema: pictureBody } } },
        ...{ ...notChanged, ...needsLogin, ...notThere },
      },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const { picture } = await reachImage(deps.store.images, c.get('actor'), name, 'read');
      if (picture === undefined) throw notFound('picture', name);
      return send(c, deps, { key: picture.key, contentType: picture.contentType, caching: askedAgain });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: `${imagesPath}/{name}/thumbnail`,
      operationId: 'getImageThumbnail',
      summary: 'Get a small copy of the picture',
      description:
        'At most 640 pixels a side, upright. With the `v` of `thumbnail_url` it may be kept for good. 404 until it is made.',
      middleware: access(deps, 'getImageThumbnail'),
      request: { params: imageParams, query: z.object({ v: z.string().max(200).optional() }) },
      responses: {
        200: { description: 'The thumbnail.', content: { 'image/webp': { schema: pictureBody } } },
        ...{ ...notChanged, ...needsLogin, ...notThere },
      },
    }),
    async (c) => {
      const { name } = c.req.valid('param');
      const { thumbnail } = await reachImage(deps.store.images, c.get('actor'), name, 'read');
      if (thumbnail === undefined) throw notFound('thumbnail', name);
      const caching = c.req.valid('query').v === versionOf(thumbnail) ? kept : askedAgain;
      return send(c, deps, { key: thumbnail.key, contentType: 'image/webp', caching });
    },
  );
}

interface Sent {
  readonly key: string;
  readonly contentType: string;
  readonly caching: string;
}

async function send(
  c: Context<ProgressEnv>,
  { images }: Pick<RouteDeps, 'images'>,
  { key, contentType, caching }: Sent,
): Promise<Response> {
  const etag = `"${versionOf({ key })}"`;
  const headers = { etag, 'cache-control': caching, vary: 'authorization' };
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers);
  const object = await images.mediaStore.get(key);
  if (!object.ok) {
    if (object.error.kind === 'not-found') throw notFound('picture', c.req.param('name') ?? '');
    throw new ProblemError(problem(503, 'unavailable', 'Unavailable', { detail: 'the media store is away' }));
  }
  const stream = Readable.toWeb(Readable.from(object.value.bytes, { objectMode: false })) as ReadableStream;
  const about = { 'content-type': contentType, 'content-length': String(object.value.size) };
  return c.body(stream, 200, { ...about, ...headers });
}
