import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  type ApiToken,
  apiTokenInputSchema,
  apiTokenPageSchema,
  createdApiTokenSchema,
  pageQuerySchema,
} from '@millrace/api';
import { confinedTo } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import { revokedTokensTopic } from '@millrace/events';
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
  optionalTime,
  otherBody,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
  time,
} from '@millrace/http';
import { newId } from '@millrace/ids';
import { type Actor, mayGrant } from '../core/access.ts';
import type { TokenRecord, Transaction } from '../core/store.ts';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';
import { tokenParams } from './route-params.ts';

/** Routes of `/api/v1/tokens`. */
export function addTokenRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  const common = { tags: ['API tokens'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/tokens',
      operationId: 'listTokens',
      summary: 'List API tokens, the newest first',
      middleware: access(deps, 'listTokens'),
      request: { query: pageQuerySchema },
      responses: { 200: json(apiTokenPageSchema, 'A page of tokens, without the tokens.'), ...needsLogin },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const rows = await deps.store.tokens.list(confinedTo(c.get('actor')), pageRequest(query));
      return c.json(
        pageOfRows(rows, query.limit, (row) => row.jti, showToken),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/tokens',
      operationId: 'createToken',
      summary: 'Create an API token',
      description: 'The answer is the only place that shows the token. Its role is yours or `viewer`; admins give any.',
      middleware: access(deps, 'createToken'),
      request: { headers: idempotencyHeaders, body: body(apiTokenInputSchema) },
      responses: {
        201: json(createdApiTokenSchema, 'The token.'),
        ...needsLogin,
        ...needsBody,
        ...notThere,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const input = c.req.valid('json');
      const actor = c.get('actor');
      if (!mayGrant(actor, input.role)) throw notAllowed(`the role ${actor.role} may not give the role ${input.role}`);
      const answer = await mutate(c, deps, { action: 'createToken', status: 201, body: input }, async (tx, nowMs) => {
        const ownerId = await ownerFor(deps, tx, actor, input.owner_id, nowMs);
        const most = deps.limits.maxTokensPerOwner;
        if ((await tx.tokens.countUsable(ownerId, nowMs)) >= most) {
          const detail = `expected at most ${most} working tokens of one owner: revoke one first`;
          throw new ProblemError(problem(409, 'too-many-tokens', 'Too many tokens', { detail }));
        }
        const issued = await deps.signer.issueApiToken({ ownerId, role: input.role, expiresInS: input.expires_in_s });
        const token: TokenRecord = {
          jti: issued.jti,
          ownerId,
          role: input.role,
          label: input.label,
          createdAtMs: nowMs,
          expiresAtMs: issued.expiresAtMs,
          revokedAtMs: undefined,
        };
        await tx.tokens.insert(token);
        return { resource: token.jti, ownerId, answer: { ...showToken(token), token: issued.token } };
      });
      return c.json(answer, 201);
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/v1/tokens/{id}',
      operationId: 'revokeToken',
      summary: 'Revoke an API token',
      description: 'Signing out is revoking the token of `GET /me`. Revoking twice is the same as once.',
      middleware: access(deps, 'revokeToken'),
      request: { params: tokenParams },
      responses: { 204: { description: 'It does not work any more.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const owner = confinedTo(c.get('actor'));
      const revoked = await mutate(c, deps, { action: 'revokeToken' }, async (tx, nowMs) => {
        const token = await tx.tokens.lock(id);
        if (token === undefined || (owner !== undefined && token.ownerId !== owner)) throw notFound('token', id);
        const next: TokenRecord = { ...token, revokedAtMs: token.revokedAtMs ?? nowMs };
        await tx.tokens.save(next);
        const state = { jti: id, revoked_at_ms: next.revokedAtMs ?? nowMs, expires_at_ms: next.expiresAtMs };
        await tx.publish([record(revokedTokensTopic, state)]);
        return { resource: id, ownerId: token.ownerId, answer: next };
      });
      deps.onRevoked(id, revoked.expiresAtMs);
      return c.body(null, 204);
    },
  );
}

/** Whose token it will be; only admins may name anybody but themselves. */
async function ownerFor(
  deps: RouteDeps,
  tx: Transaction,
  actor: Actor,
  asked: string | undefined,
  nowMs: number,
): Promise<string> {
  if (asked === undefined || asked === actor.ownerId) return actor.ownerId;
  if (actor.role !== 'admin') throw notAllowed('only an admin may create tokens for another owner');
  if (asked === 'new') {
    const ownerId = newId('own', deps.idSource);
    await tx.signIns.addOwner(ownerId, nowMs);
    return ownerId;
  }
  if (!(await tx.signIns.ownerExists(asked))) throw notFound('owner', asked);
  return asked;
}

function notAllowed(detail: string): ProblemError {
  return new ProblemError(problem(403, 'role-not-allowed', 'Not allowed', { detail }));
}

function showToken(token: TokenRecord): ApiToken {
  return {
    id: token.jti,
    label: token.label,
    role: token.role,
    owner_id: token.ownerId,
    created_at: time(token.createdAtMs),
    expires_at: time(token.expiresAtMs),
    revoked_at: optionalTime(token.revokedAtMs),
  };
}
