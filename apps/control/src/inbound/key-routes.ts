import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  createdStreamKeySchema,
  pageQuerySchema,
  rotateInputSchema,
  streamKeyInputSchema,
  streamKeyPageSchema,
} from '@millrace/api';
import { hashSecret } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import { streamKeysTopic } from '@millrace/events';
import {
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notFound,
  notThere,
  otherBody,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
} from '@millrace/http';
import { newId } from '@millrace/ids';
import { newStreamKeyText } from '../core/secret-text.ts';
import type { Transaction } from '../core/store.ts';
import type { StreamRecord } from '../core/stream.ts';
import { type KeyRecord, keyState, maxKeysPerStream, retire } from '../core/stream-key.ts';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { keyParams, streamParams } from './route-params.ts';
import { reachStream } from './stream-lookup.ts';
import { showKey } from './stream-view.ts';

/** Routes of `/api/v1/streams/{id}/keys`. */
export function addKeyRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  const common = { tags: ['stream keys'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/streams/{id}/keys',
      operationId: 'listStreamKeys',
      summary: "List a stream's keys, the newest first",
      middleware: access(deps, 'listStreamKeys'),
      request: { params: streamParams, query: pageQuerySchema },
      responses: { 200: json(streamKeyPageSchema, 'A page of keys, without the keys.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      const page = pageRequest(query);
      await reachStream(deps.store.streams, c.get('actor'), id, 'read');
      const rows = await deps.store.keys.list(id, page);
      return c.json(
        pageOfRows(rows, query.limit, (row) => row.keyId, showKey),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/streams/{id}/keys',
      operationId: 'createStreamKey',
      summary: 'Create a stream key',
      description: 'The answer is the only place that shows the key.',
      middleware: access(deps, 'createStreamKey'),
      request: { params: streamParams, headers: idempotencyHeaders, body: body(streamKeyInputSchema) },
      responses: {
        201: json(createdStreamKeySchema, 'The key.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const input = c.req.valid('json');
      const options = { action: 'createStreamKey', status: 201, body: input };
      const answer = await mutate(c, deps, options, async (tx, nowMs) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'lock');
        const { key, text } = await addKey(deps, tx, stream, input.label, nowMs);
        await tx.publish([record(streamKeysTopic, keyState(key))]);
        return { resource: key.keyId, ownerId: stream.ownerId, answer: { ...showKey(key), key: text } };
      });
      return c.json(answer, 201);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/streams/{id}/keys/{key_id}/rotate',
      operationId: 'rotateStreamKey',
      summary: 'Replace a stream key',
      description: 'The old key goes on working for `overlap_s`; the answer is the only place that shows the new one.',
      middleware: access(deps, 'rotateStreamKey'),
      request: { params: keyParams, headers: idempotencyHeaders, body: body(rotateInputSchema) },
      responses: {
        201: json(createdStreamKeySchema, 'The new key.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const { id, key_id } = c.req.valid('param');
      const input = c.req.valid('json');
      const options = { action: 'rotateStreamKey', status: 201, body: input };
      const answer = await mutate(c, deps, options, async (tx, nowMs) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'lock');
        const old = await tx.keys.lock(id, key_id);
        if (old === undefined) throw notFound('key', key_id);
        const retired = retire(old, nowMs, input.overlap_s * 1000);
        if (!retired.ok) throw conflict(retired.error.kind, retired.error.message);
        const { key, text } = await addKey(deps, tx, stream, old.label, nowMs);
        await tx.keys.save(retired.value);
        await tx.publish([record(streamKeysTopic, keyState(key)), record(streamKeysTopic, keyState(retired.value))]);
        return { resource: key_id, ownerId: stream.ownerId, answer: { ...showKey(key), key: text } };
      });
      return c.json(answer, 201);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/v1/streams/{id}/keys/{key_id}',
      operationId: 'revokeStreamKey',
      summary: 'Revoke a stream key',
      description: 'A broadcast that uses it is disconnected. Revoking twice is the same as once.',
      middleware: access(deps, 'revokeStreamKey'),
      request: { params: keyParams },
      responses: { 204: { description: 'It does not work any more.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id, key_id } = c.req.valid('param');
      await mutate(c, deps, { action: 'revokeStreamKey' }, async (tx, nowMs) => {
        const stream = await reachStream(tx.streams, c.get('actor'), id, 'lock');
        const key = await tx.keys.lock(id, key_id);
        if (key === undefined) throw notFound('key', key_id);
        const revoked: KeyRecord = { ...key, revokedAtMs: key.revokedAtMs ?? nowMs };
        await tx.keys.save(revoked);
        await tx.publish([record(streamKeysTopic, keyState(revoked))]);
        return { resource: key_id, ownerId: stream.ownerId, answer: undefined };
      });
      return c.body(null, 204);
    },
  );
}

async function addKey(
  deps: RouteDeps,
  tx: Transaction,
  stream: StreamRecord,
  label: string,
  nowMs: number,
): Promise<{ key: KeyRecord; text: string }> {
  if ((await tx.keys.count(stream.streamId)) >= maxKeysPerStream) {
    throw conflict(
      'too-many-keys',
      `expected at most ${maxKeysPerStream} keys of one stream; ended ones go after a week`,
    );
  }
  const text = newStreamKeyText(deps.idSource.random);
  const key: KeyRecord = {
    keyId: newId('key', deps.idSource),
    streamId: stream.streamId,
    ownerId: stream.ownerId,
    sha256: hashSecret(text),
    last4: text.slice(-4),
    label,
    createdAtMs: nowMs,
    lastUsedAtMs: undefined,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
  };
  await tx.keys.insert(key);
  return { key, text };
}

function conflict(kind: string, detail: string): ProblemError {
  return new ProblemError(problem(409, kind, 'The present state does not allow it', { detail }));
}
