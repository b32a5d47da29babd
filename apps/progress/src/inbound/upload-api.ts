/**
 * Resumable uploads (tus 1.0) at /api/v1/uploads: creation, creation-with-upload, termination, expiration, checksum. The protocol is
 * @tus/server's; who may, what for, and where bytes go is decided here.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { confinedTo } from '@millrace/auth';
import { createApiApp, notFound, ProblemError, problem } from '@millrace/http';
import { newId, parseId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import { isRetryable } from '@millrace/postgres';
import { assertNever } from '@millrace/result';
import { Server } from '@tus/server';
import type { Context, MiddlewareHandler } from 'hono';
import type { Action } from '../core/access.ts';
import { parseUploadTarget, type UploadRecord } from '../core/upload.ts';
import { beginUpload, endUpload, type UploadLimits, type UploadRefusal } from '../core/upload-lifecycle.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { asProblem, noUpload, refused, UploadRefused } from './upload-answers.ts';
import type { UploadLock, UploadLocker } from './upload-locker.ts';
import { checksumAlgorithms, readChecksum, type UploadRequest } from './upload-request.ts';
import { showUpload } from './upload-routes.ts';
import { UploadStore } from './upload-store.ts';
import { uploadsPath } from './video-routes.ts';

export interface UploadApiDeps extends RouteDeps {
  readonly mediaStore: MediaStore;
  readonly locker: UploadLocker;
  readonly uploadLimits: UploadLimits;
  readonly uploadMetrics: {
    readonly uploads: { inc(labels: { readonly outcome: string }): void };
    readonly uploadBytes: { inc(bytes: number): void };
    readonly uploadsRefused: { inc(labels: { readonly reason: string }): void };
  };
  /** All bytes of an upload are here: its parts are to be joined. */
  readonly onReceived: () => void;
}

/** How long a holder of a lock may go on reading when somebody waits for it, ms; what it has read is kept. */
const drainMs = 50;
const actions: Readonly<Record<string, Action>> = {
  POST: 'createUpload',
  GET: 'getUpload',
  HEAD: 'getUpload',
  PATCH: 'resumeUpload',
  DELETE: 'cancelUpload',
};

/** Builds the app; its routes carry their full paths. */
export function createUploadApi(deps: UploadApiDeps, log: Logger): OpenAPIHono<ProgressEnv> {
  const newToken = () => newId('evt', deps.idSource).slice(4);
  // One for each request: @tus/server does not tell a store of whose request it serves, and an AsyncLocalStorage, once used, makes every
  // promise of the process cost more.
  const serverOf = (request: UploadRequest) => {
    let lock: UploadLock | undefined;
    return new Server({
      path: uploadsPath,
      relativeLocation: true,
      allowedOrigins: () => false, // as the rest of the API: pages of other origins may not
      maxSize: deps.uploadLimits.maxBytes,
      lockDrainTimeout: drainMs,
      locker: { newLock: (uploadId) => (lock = deps.locker.newLock(uploadId)) },
      namingFunction: () => newId('upl', deps.idSource),
      datastore: new UploadStore({
        ...{ store: deps.store, mediaStore: deps.mediaStore, locker: deps.locker, clock: deps.clock },
        ...{ limits: deps.uploadLimits, newToken, request, onReceived: deps.onReceived },
        lockToken: () => lock?.token,
        onBytes: (bytes) => deps.uploadMetrics.uploadBytes.inc(bytes),
      }),
      async onIncomingRequest({ method }, uploadId) {
        if (method !== 'POST') await reachUpload(deps, request, uploadId);
      },
      onResponseError(_request, error) {
        if (!(error instanceof Error) || error instanceof UploadRefused || 'status_code' in error) return undefined;
        if (error instanceof ProblemError) {
          return { status_code: error.problem.status, body: JSON.stringify(error.problem) };
        }
        if (isRetryable(error)) return refused(503, 'unavailable', 'something this needs is away: try again shortly');
        log.error('upload-crashed', { error });
        return refused(500, 'internal-error', 'the log has more under the request id');
      },
    });
  };

  const app = createApiApp<ProgressEnv>({ log, idSource: deps.idSource, isOutage: isRetryable, limitsBody: false });
  const guard: MiddlewareHandler<ProgressEnv> = async (c, next) => {
    if (c.req.raw.method === 'OPTIONS') return next(); // says what the server can do, to everybody
    const action = actions[c.req.raw.method];
    return action === undefined ? next() : access(deps, action)(c, next);
  };
  app.use('*', guard);
  const handle = async (c: Context<ProgressEnv>): Promise<Response> => {
    const { method } = c.req.raw;
    if (method === 'GET') return c.json(showUpload(await reachOwn(c, deps)), 200);
    const checksum = readChecksum(c.req.header('upload-checksum'));
    if (checksum === null) {
      const detail = `upload-checksum: expected one of ${checksumAlgorithms.join(', ')} and its digest in base64`;
      throw new ProblemError(problem(400, 'invalid-checksum', 'Invalid checksum', { detail }));
    }
    let videoId: string | undefined;
    const request: UploadRequest = {
      ...{ actor: c.get('actor'), checksum },
      begin: async (uploadId, size, metadata) => {
        videoId = (await begin(c, deps, uploadId, size, metadata)).videoId;
      },
      end: (uploadId) => end(c, deps, uploadId),
    };
    const answer = await asProblem(await serverOf(request).handleWeb(c.req.raw), c.get('requestId'));
    if (videoId !== undefined) answer.headers.set('millrace-video-id', videoId);
    if (method === 'OPTIONS') answer.headers.set('tus-checksum-algorithm', checksumAlgorithms.join(','));
    if (answer.status >= 400) deps.uploadMetrics.uploadsRefused.inc({ reason: reasonOf(answer.status) });
    return answer;
  };
  app.on(['POST', 'OPTIONS'], uploadsPath, handle);
  app.on(['GET', 'PATCH', 'DELETE', 'OPTIONS'], `${uploadsPath}/:id`, handle);
  return app;
}

async function reachOwn(c: Context<ProgressEnv>, deps: UploadApiDeps): Promise<UploadRecord> {
  const uploadId = c.req.param('id') ?? '';
  const upload = parseId('upl', uploadId).ok ? await deps.store.uploads.get(uploadId) : undefined;
  const confined = confinedTo(c.get('actor'));
  if (upload === undefined || (confined !== undefined && upload.ownerId !== confined)) {
    throw notFound('upload', uploadId.slice(0, 40));
  }
  return upload;
}

async function reachUpload(deps: UploadApiDeps, { actor }: UploadRequest, uploadId: string): Promise<void> {
  const upload = parseId('upl', uploadId).ok ? await deps.store.uploads.get(uploadId) : undefined;
  const confined = confinedTo(actor);
  if (upload === undefined || (confined !== undefined && upload.ownerId !== confined)) throw noUpload(uploadId);
  if (upload.state === 'failed')
    throw refused(410, 'upload-failed', `upload ${uploadId} could not be stored: begin anew`);
}

async function begin(
  c: Context<ProgressEnv>,
  deps: UploadApiDeps,
  uploadId: string,
  sizeBytes: number,
  metadata: Readonly<Record<string, string | null>>,
): Promise<UploadRecord> {
  const { ownerId } = c.get('actor');
  if (sizeBytes === 0) throw refused(400, 'empty-upload', 'upload-length: expected at least 1 byte');
  const target = parseUploadTarget(metadata);
  if (!target.ok) throw refused(400, 'bad-metadata', `upload-metadata: ${target.error.message}`);
  const wish = { uploadId, ownerId, confinedTo: confinedTo(c.get('actor')), sizeBytes, metadata, target: target.value };
  const upload = await mutate(c, deps, { action: 'createUpload' }, async (tx, nowMs) => {
    const begun = await beginUpload(tx, deps.idSource, deps.uploadLimits, wish, nowMs);
    if (!begun.ok) throw refused(statusOf(begun.error.kind), begun.error.kind, begun.error.message);
    return { resource: begun.value.videoId, ownerId: begun.value.ownerId, answer: begun.value };
  });
  deps.uploadMetrics.uploads.inc({ outcome: 'created' });
  return upload;
}

async function end(c: Context<ProgressEnv>, deps: UploadApiDeps, uploadId: string): Promise<void> {
  const known = await deps.store.uploads.get(uploadId);
  if (known === undefined) throw noUpload(uploadId);
  await mutate(c, deps, { action: 'cancelUpload' }, async (tx, nowMs) => {
    if (!(await endUpload(tx, known, 'the upload was ended before all of it was here', nowMs))) {
      throw refused(409, 'upload-complete', `all of upload ${uploadId} is here: delete the video instead`);
    }
    return { resource: known.videoId, ownerId: known.ownerId, answer: undefined };
  });
  deps.uploadMetrics.uploads.inc({ outcome: 'ended' });
}

function statusOf(kind: UploadRefusal['kind']): number {
  switch (kind) {
    case 'video-not-found':
      return 404;
    case 'video-has-original':
    case 'too-many-videos':
      return 409;
    case 'too-large':
    case 'owner-quota':
      return 413;
    case 'too-many-uploads':
      return 429;
    default:
      return assertNever(kind);
  }
}

/** A bounded set for the metric. */
function reasonOf(status: number): string {
  if (status === 404 || status === 410) return 'not-there';
  if (status === 409 || status === 423) return 'conflict';
  if (status === 413 || status === 429) return 'limit';
  if (status === 460) return 'checksum';
  if (status === 507) return 'store-full';
  return status >= 500 ? 'fault' : 'bad-request';
}
