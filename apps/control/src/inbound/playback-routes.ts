import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { playbackIdSchema, playbackTokenInputSchema, playbackTokenSchema, watchSchema } from '@millrace/api';
import {
  badRequest,
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
import { hlsUrl, watchUrl } from '../core/addresses.ts';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { streamParams } from './route-params.ts';
import { reachStream } from './stream-lookup.ts';

/** Routes for those who watch: `/api/v1/streams/{id}/playback-tokens` and `/api/v1/watch/{playback_id}`. */
export function addPlaybackRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/v1/streams/{id}/playback-tokens',
      operationId: 'createPlaybackToken',
      summary: 'Mint a playback token',
      description: 'Whoever has it can watch the stream until it expires. Public streams need none.',
      tags: ['playback'],
      security: bearer,
      middleware: access(deps, 'createPlaybackToken'),
      request: { params: streamParams, headers: idempotencyHeaders, body: body(playbackTokenInputSchema) },
      responses: {
        201: json(playbackTokenSchema, 'The token and the URLs that carry it.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...otherBody,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const input = c.req.valid('json');
      const options = { action: 'createPlaybackToken', status: 201, body: input };
      const answer = await mutate(c, deps, options, async (tx) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'read');
        const { playbackId, ownerId } = stream;
        const issued = await deps.signer.issuePlaybackToken({ playbackId, expiresInS: input.expires_in_s });
        const at = deps.addresses();
        const shown = {
          token: issued.token,
          expires_at: time(issued.expiresAtMs),
          hls_url: hlsUrl(at, playbackId, issued.token),
          watch_url: watchUrl(at, playbackId, issued.token),
        };
        return { resource: id, ownerId, answer: shown };
      });
      return c.json(answer, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/v1/watch/{playback_id}',
      operationId: 'getWatch',
      summary: 'What a watch page needs',
      description: 'No login. A private stream needs its playback token.',
      tags: ['playback'],
      request: {
        params: z.object({ playback_id: playbackIdSchema }),
        query: z.object({ token: z.string().max(1024).optional() }),
      },
      responses: {
        200: json(watchSchema, 'Title, state and playlist.'),
        ...badRequest,
        ...notThere,
        401: needsLogin[401],
        503: needsLogin[503],
      },
    }),
    async (c) => {
      const { playback_id } = c.req.valid('param');
      const { token } = c.req.valid('query');
      const stream = await deps.store.streams.byPlaybackId(playback_id);
      if (stream === undefined) throw notFound('stream', playback_id);
      const isPrivate = stream.visibility === 'private';
      if (isPrivate) await checkPlaybackToken(deps, token, playback_id);
      const live = await deps.store.live.get(stream.streamId);
      const shown = {
        playback_id,
        title: stream.title,
        state: live?.state ?? 'idle',
        latency_mode: stream.latencyMode,
        visibility: stream.visibility,
        hls_url: hlsUrl(deps.addresses(), playback_id, isPrivate ? token : undefined),
      } as const;
      return c.json(shown, 200);
    },
  );
}

async function checkPlaybackToken(deps: RouteDeps, token: string | undefined, playbackId: string): Promise<void> {
  const challenge = { 'www-authenticate': 'Bearer' };
  if (token === undefined) {
    const detail = 'this stream is private: expected ?token= with a playback token';
    throw new ProblemError(problem(401, 'playback-token-missing', 'Playback token needed', { detail }), challenge);
  }
  const verdict = await deps.verifier.verifyPlaybackToken(token, playbackId);
  if (verdict.ok) return;
  const { kind, message } = verdict.error;
  deps.metrics.refusedTokens.inc({ reason: kind });
  if (kind === 'not-ready') {
    throw new ProblemError(problem(503, 'not-ready', 'Not ready', { detail: message }), { 'retry-after': '1' });
  }
  throw new ProblemError(
    problem(401, `playback-token-${kind}`, 'Playback token refused', { detail: message }),
    challenge,
  );
}
