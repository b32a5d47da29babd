import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { playbackTokenInputSchema, videoIdSchema, videoPlaybackTokenSchema } from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import type { VideoState } from '@millrace/events';
import {
  bearer,
  body,
  idempotencyHeaders,
  json,
  needsBody,
  needsLogin,
  notFound,
  notThere,
  otherBody,
  ProblemError,
  problem,
  time,
} from '@millrace/http';
import { z } from 'zod';
import type { Actor } from '../core/access.ts';
import { vodUrl } from '../core/addresses.ts';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';

/**
 * `POST /api/v1/videos/{id}/playback-tokens`: control signs because the key is its own; the videos are progress's, and known here by
 * their topic.
 */
export function addVideoTokenRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/v1/videos/{id}/playback-tokens',
      operationId: 'createVideoPlaybackToken',
      summary: 'Mint a playback token for a video',
      description: 'Whoever has it can watch the video until it expires. Public videos need none.',
      tags: ['playback'],
      security: bearer,
      middleware: access(deps, 'createVideoPlaybackToken'),
      request: {
        params: z.object({ id: videoIdSchema }),
        headers: idempotencyHeaders,
        body: body(playbackTokenInputSchema),
      },
      responses: {
        201: json(videoPlaybackTokenSchema, 'The token and the URLs that carry it.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...otherBody,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const input = c.req.valid('json');
      const options = { action: 'createVideoPlaybackToken', status: 201, body: input };
      const answer = await mutate(c, deps, options, async () => {
        const { playback_id: playbackId, owner_id: ownerId } = reachVideo(deps, c.get('actor'), id);
        const issued = await deps.signer.issuePlaybackToken({ playbackId, expiresInS: input.expires_in_s });
        const base = vodUrl(deps.addresses(), playbackId, issued.token);
        const shown = {
          token: issued.token,
          expires_at: time(issued.expiresAtMs),
          hls_url: `${base}index.m3u8`,
          dash_url: `${base}index.mpd`,
          poster_url: `${base}poster.jpg`,
          storyboard_url: `${base}storyboard.vtt`,
          file_url: `${base}video.mp4`,
        };
        return { resource: id, ownerId, answer: shown };
      });
      return c.json(answer, 201);
    },
  );
}

/** The video if it is there and the actor may reach it; otherwise refuses with 404. */
function reachVideo({ videos }: RouteDeps, actor: Actor, id: string): VideoState {
  const video = videos.get(id);
  if (video === undefined && !videos.isReady) {
    const detail = 'the videos are still being read: try again shortly';
    throw new ProblemError(problem(503, 'not-ready', 'Not ready', { detail }), { 'retry-after': '1' });
  }
  const owner = confinedTo(actor);
  if (video === undefined || (owner !== undefined && video.owner_id !== owner)) throw notFound('video', id);
  return video;
}
