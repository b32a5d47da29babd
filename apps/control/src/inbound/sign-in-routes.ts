import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { meSchema, signInInputSchema, signInSchema } from '@millrace/api';
import { hashSecret } from '@millrace/auth';
import { badRequest, bearer, body, json, needsBody, needsLogin, ProblemError, problem, time } from '@millrace/http';
import { access } from './access.ts';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';

/** Routes `/api/v1/sign-ins` and `/api/v1/me`. */
export function addSignInRoutes(app: OpenAPIHono<ControlEnv>, deps: RouteDeps): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/v1/sign-ins',
      operationId: 'signIn',
      summary: 'Sign in with the code of an admin link',
      description: 'A code works once and for one hour. No login is needed.',
      tags: ['sign-in'],
      request: { body: body(signInInputSchema) },
      responses: {
        201: json(signInSchema, 'A token of the code’s owner.'),
        ...badRequest,
        ...needsBody,
        401: needsLogin[401],
      },
    }),
    async (c) => {
      const { code } = c.req.valid('json');
      const actor = (mutated: { readonly ownerId: string }) => mutated.ownerId;
      const answer = await mutate(c, deps, { action: 'signIn', actor }, async (tx, nowMs) => {
        const found = await tx.signIns.redeem(hashSecret(code), nowMs);
        if (found === undefined) {
          deps.metrics.signIns.inc({ outcome: 'refused' });
          const detail = 'expected a code that was neither used nor older than an hour: ask for a new admin link';
          throw new ProblemError(problem(401, 'code-refused', 'The code does not work', { detail }), {
            'www-authenticate': 'Bearer',
          });
        }
        const { ownerId, role } = found;
        const issued = await deps.signer.issueApiToken({ ownerId, role, expiresInS: deps.limits.signInLifetimeS });
        const { jti, expiresAtMs } = issued;
        const label = 'studio sign-in';
        await tx.tokens.insert({ jti, ownerId, role, label, createdAtMs: nowMs, expiresAtMs, revokedAtMs: undefined });
        const shown = { token: issued.token, expires_at: time(expiresAtMs), role, owner_id: ownerId };
        return { resource: jti, ownerId, answer: shown };
      });
      deps.metrics.signIns.inc({ outcome: 'accepted' });
      return c.json(answer, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/v1/me',
      operationId: 'getMe',
      summary: 'Who the token belongs to',
      tags: ['sign-in'],
      security: bearer,
      middleware: access(deps, 'getMe'),
      responses: { 200: json(meSchema, 'Owner and role of the token.'), ...needsLogin },
    }),
    (c) => {
      const { ownerId, role, jti, expiresAtMs } = c.get('actor');
      return c.json({ owner_id: ownerId, role, token_id: jti, expires_at: time(expiresAtMs) }, 200);
    },
  );
}
