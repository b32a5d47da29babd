/** Times every request: slow ones are logged and counted, and how long it took to accept a job is a histogram. */
import type { Logger } from '@millrace/log';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { ProgressEnv, RouteDeps } from './api-context.ts';

export function requestTimes(
  deps: Pick<RouteDeps, 'clock' | 'metrics' | 'slowRequestMs'>,
  log: Logger,
): MiddlewareHandler<ProgressEnv, string> {
  return async (c, next) => {
    const startMs = deps.clock.monotonicMs();
    await next();
    const tookMs = deps.clock.monotonicMs() - startMs;
    const pattern = routePath(c, -1).replaceAll(/:([^/]+)/g, '{$1}');
    const route = `${c.req.method} ${pattern.endsWith('*') ? 'other' : pattern}`;
    if (c.req.method === 'POST' && (c.res.status === 202 || c.res.status === 409)) {
      deps.metrics.submitDuration.observe({ route }, tookMs / 1_000);
    }
    if (tookMs <= deps.slowRequestMs) return;
    deps.metrics.slowRequests.inc({ route });
    log.warn('slow-request', {
      route,
      status: c.res.status,
      took_ms: Math.round(tookMs),
      request_id: c.get('requestId'),
    });
  };
}
