import { bearerClaims } from '@millrace/http';
import type { MiddlewareHandler } from 'hono';
import { type Action, mayAct } from '../core/access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';

/** Middleware of a route: verifies the Bearer token, checks the role against the matrix, and sets `actor`. */
export function access(deps: Pick<RouteDeps, 'verifier' | 'metrics'>, action: Action): MiddlewareHandler<ProgressEnv> {
  const onRefused = (reason: string) => deps.metrics.refusedTokens.inc({ reason });
  const options = { verifier: deps.verifier, mayAct, onRefused };
  return async (c, next) => {
    const { ownerId, role } = await bearerClaims(c.req.header('authorization'), action, options);
    c.set('actor', { ownerId, role });
    await next();
  };
}
