import type { TokenRefusal } from '@millrace/auth';
import { ProblemError, problem } from '@millrace/http';
import { assertNever } from '@millrace/result';
import type { MiddlewareHandler } from 'hono';
import { type Action, mayAct } from '../core/access.ts';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';

/** Middleware of a route: verifies the Bearer token, checks the role against the matrix, and sets `actor`. */
export function access(deps: Pick<RouteDeps, 'verifier' | 'metrics'>, action: Action): MiddlewareHandler<AnalyticsEnv> {
  return async (c, next) => {
    const match = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '');
    if (match?.[1] === undefined) throw loginNeeded('expected "Authorization: Bearer <API token>"');
    const verdict = await deps.verifier.verifyApiToken(match[1]);
    if (!verdict.ok) {
      deps.metrics.refusedTokens.inc({ reason: verdict.error.kind });
      throw refusalOf(verdict.error);
    }
    const { ownerId, role } = verdict.value;
    if (!mayAct(role, action)) {
      deps.metrics.refusedTokens.inc({ reason: 'role' });
      const detail = `the role ${role} may not do ${action}`;
      throw new ProblemError(problem(403, 'role-not-allowed', 'Not allowed', { detail }));
    }
    c.set('actor', { ownerId, role });
    await next();
  };
}

function refusalOf(error: TokenRefusal): ProblemError {
  switch (error.kind) {
    case 'not-ready': {
      const notReady = problem(503, 'not-ready', 'Not ready', { detail: error.message });
      return new ProblemError(notReady, { 'retry-after': '1' });
    }
    case 'malformed':
    case 'bad-signature':
    case 'expired':
    case 'revoked':
    case 'wrong-audience':
    case 'wrong-stream':
      return loginNeeded(error.message, error.kind);
    default:
      return assertNever(error.kind);
  }
}

function loginNeeded(detail: string, kind?: TokenRefusal['kind']): ProblemError {
  const type = kind === undefined ? 'token-missing' : `token-${kind}`;
  const challenge = kind === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  return new ProblemError(problem(401, type, 'API token needed', { detail }), { 'www-authenticate': challenge });
}
