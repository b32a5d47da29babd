/** What the document says of uploads, and how one is shown. The routes themselves are in upload-api.ts. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { mediaIdSchema, timeSchema, videoIdSchema } from '@millrace/api';
import { bearer, inTheWay, json, needsLogin, notThere, time } from '@millrace/http';
import { z } from 'zod';
import type { UploadRecord } from '../core/upload.ts';
import type { ProgressEnv } from './api-context.ts';
import { uploadsPath } from './video-routes.ts';

const uploadIdSchema = mediaIdSchema('upl');

export const uploadSchema = z
  .object({
    upload_id: uploadIdSchema,
    video_id: videoIdSchema,
    size_bytes: z.int(),
    received_bytes: z.int().meta({ description: 'Where a client goes on.' }),
    state: z
      .enum(['receiving', 'joining', 'done', 'failed'])
      .meta({ description: '`joining`: all bytes are here and become the original of the video.' }),
    created_at: timeSchema,
    expires_at: timeSchema.meta({ description: 'Moves with every part.' }),
  })
  .meta({ id: 'Upload' });

/** An upload as `GET` shows it. */
export function showUpload(upload: UploadRecord): z.infer<typeof uploadSchema> {
  return {
    upload_id: upload.uploadId,
    video_id: upload.videoId,
    size_bytes: upload.sizeBytes,
    received_bytes: upload.receivedBytes,
    state: upload.state,
    created_at: time(upload.createdAtMs),
    expires_at: time(upload.expiresAtMs),
  };
}

/** Puts the routes of uploads into the document. */
export function describeUploads(registry: OpenAPIHono<ProgressEnv>['openAPIRegistry']): void {
  const common = { tags: ['uploads'], security: bearer };
  const tus = z.object({ 'tus-resumable': z.literal('1.0.0') });
  const params = z.object({ id: uploadIdSchema });
  const one = `${uploadsPath}/{id}`;
  const octets = { 'application/offset+octet-stream': { schema: z.any() } };
  registry.registerPath({
    ...common,
    method: 'post',
    path: uploadsPath,
    operationId: 'createUpload',
    summary: 'Begin a resumable upload (tus 1.0)',
    description:
      'Extensions: creation, creation-with-upload, termination, expiration, checksum. `upload-metadata` holds `video_id`, or `title` (else `filename`) of a new video, with `language`, `visibility`, `process`, `filetype`. The answer names the video in `millrace-video-id`.',
    request: {
      headers: tus.extend({ 'upload-length': z.string(), 'upload-metadata': z.string() }),
      body: { required: false, content: octets },
    },
    responses: { 201: { description: 'Begun; `location` is its URL.' }, ...needsLogin, ...notThere, ...inTheWay },
  });
  registry.registerPath({
    ...common,
    method: 'get',
    path: one,
    operationId: 'getUpload',
    summary: 'Get an upload; HEAD gives its offset as tus wants it',
    request: { params },
    responses: { 200: json(uploadSchema, 'The upload.'), ...needsLogin, ...notThere },
  });
  registry.registerPath({
    ...common,
    method: 'patch',
    path: one,
    operationId: 'resumeUpload',
    summary: 'Send bytes from an offset on',
    request: {
      params,
      headers: tus.extend({ 'upload-offset': z.string(), 'upload-checksum': z.string().optional() }),
      body: { required: true, content: octets },
    },
    responses: { 204: { description: 'Kept up to `upload-offset`.' }, ...needsLogin, ...notThere, ...inTheWay },
  });
  registry.registerPath({
    ...common,
    method: 'delete',
    path: one,
    operationId: 'cancelUpload',
    summary: 'End an upload and remove its parts',
    request: { params, headers: tus },
    responses: { 204: { description: 'It is gone.' }, ...needsLogin, ...notThere, ...inTheWay },
  });
}
