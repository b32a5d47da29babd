import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  pageQuerySchema,
  streamDetailSchema,
  streamInputSchema,
  streamPageSchema,
  streamPatchSchema,
} from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { record, tombstone } from '@millrace/eventlog';
import { streamKeysTopic, streamsTopic } from '@millrace/events';
import {
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notThere,
  otherBody,
  otherVersion,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
} from '@millrace/http';
import { newId } from '@millrace/ids';
import { z } from 'zod';
import { changeStream, definitionOf, matchesTag, type StreamRecord, streamTag } from '../core/stream.ts';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { streamParams } from './route-params.ts';
import { reachStream } from './stream-lookup.ts';
import { showStream, showStreamDetail } from './stream-view.ts';

/** Routes of `/api/v1/streams`. */
export function addStreamRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  const common = { tags: ['streams'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/streams',
      operationId: 'listStreams',
      summary: 'List streams, the newest first',
      middleware: access(deps, 'listStreams'),
      request: { query: pageQuerySchema },
      responses: { 200: json(streamPageSchema, 'A page of streams.'), ...needsLogin },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const rows = await deps.store.streams.list(confinedTo(c.get('actor')), pageRequest(query));
      return c.json(
        pageOfRows(rows, query.limit, (row) => row.streamId, showStream),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/streams',
      operationId: 'createStream',
      summary: 'Create a stream',
      middleware: access(deps, 'createStream'),
      request: { headers: idempotencyHeaders, body: body(streamInputSchema) },
      responses: {
        201: json(streamDetailSchema, 'The stream.'),
        ...needsLogin,
        ...needsBody,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const input = c.req.valid('json');
      const { ownerId } = c.get('actor');
      const answer = await mutate(c, deps, { action: 'createStream', status: 201, body: input }, async (tx, nowMs) => {
        const most = deps.limits.maxStreamsPerOwner;
        if ((await tx.streams.count(ownerId)) >= most) {
          const detail = `expected at most ${most} streams of one owner: delete one first`;
          throw new ProblemError(problem(409, 'too-many-streams', 'Too many streams', { detail }));
        }
        const stream: StreamRecord = {
          streamId: newId('str', deps.idSource),
          playbackId: newId('play', deps.idSource),
          ownerId,
          title: input.title,
          visibility: input.visibility,
          latencyMode: input.latency_mode,
          revision: 1,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        };
        await tx.streams.insert(stream);
        await tx.publish([record(streamsTopic, definitionOf(stream))]);
        return { resource: stream.streamId, ownerId, answer: showStreamDetail(deps, stream, undefined) };
      });
      return c.json(answer, 201, { location: `/api/v1/streams/${answer.id}` });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/streams/{id}',
      operationId: 'getStream',
      summary: 'Get a stream with its state, health and URLs',
      middleware: access(deps, 'getStream'),
      request: { params: streamParams },
      responses: { 200: json(streamDetailSchema, 'The stream; its ETag is for If-Match.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const stream = await reachStream(deps.store.streams, c.get('actor'), id, 'read');
      const live = await deps.store.live.get(id);
      return c.json(showStreamDetail(deps, stream, live), 200, { etag: streamTag(stream) });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'patch',
      path: '/api/v1/streams/{id}',
      operationId: 'updateStream',
      summary: 'Change a stream',
      description: 'Visibility and title count at once; the latency mode from the next broadcast on.',
      middleware: access(deps, 'updateStream'),
      request: {
        params: streamParams,
        headers: z.object({ 'if-match': z.string().max(1000).optional() }),
        body: body(streamPatchSchema),
      },
      responses: {
        200: json(streamDetailSchema, 'The stream after the change.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...otherVersion,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      const ifMatch = c.req.valid('header')['if-match'];
      const changed = await mutate(c, deps, { action: 'updateStream' }, async (tx, nowMs) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'lock');
        if (!matchesTag(ifMatch, stream)) {
          const detail = `expected If-Match to name ${streamTag(stream)}`;
          throw new ProblemError(problem(412, 'other-version', 'The stream was changed meanwhile', { detail }));
        }
        const next = changeStream(stream, change, nowMs);
        await tx.streams.save(next);
        await tx.publish([record(streamsTopic, definitionOf(next))]);
        return { resource: id, ownerId: next.ownerId, answer: next };
      });
      const live = await deps.store.live.get(id);
      return c.json(showStreamDetail(deps, changed, live), 200, { etag: streamTag(changed) });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/v1/streams/{id}',
      operationId: 'deleteStream',
      summary: 'Delete a stream with its keys',
      description: 'A running broadcast ends at once.',
      middleware: access(deps, 'deleteStream'),
      request: { params: streamParams },
      responses: { 204: { description: 'It is gone.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      await mutate(c, deps, { action: 'deleteStream' }, async (tx) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'lock');
        const keys = await tx.keys.lockAllOf(id);
        await tx.streams.remove(id);
        await tx.publish([...keys.map((key) => tombstone(streamKeysTopic, key.keyId)), tombstone(streamsTopic, id)]);
        return { resource: id, ownerId: stream.ownerId, answer: undefined };
      });
      return c.body(null, 204);
    },
  );
}
