/**
 * What every REST API of the house has in common: request ids, security headers, a body limit, and errors as problem
 * documents. Routes are declared with zod-openapi, so the document cannot differ from what is checked.
 */
import type { ServerResponse } from 'node:http';
import { OpenAPIHono } from '@hono/zod-openapi';
import { type IdSource, newId, parseId, type RequestId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { Context, Env, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { routePath } from 'hono/route';
import { markRoute } from './http-metrics.ts';
import { type Problem, problem, problemResponse } from './problem.ts';
import { describeIssues } from './validation-issues.ts';

/** Variables every route finds in its context. */
export interface ApiVariables {
  readonly requestId: RequestId;
}

export interface ApiAppOptions {
  readonly log: Logger;
  readonly idSource: IdSource;
  /** Largest request body, bytes; default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** False: routes bound their bodies themselves, which may then come without a length. */
  readonly limitsBody?: boolean;
  /** Whether an error means that something we depend on is away for now: answered 503 with Retry-After, not 500. */
  readonly isOutage?: (error: unknown) => boolean;
}

/** A refusal thrown by a route or a middleware; it is answered as the problem it carries. */
export class ProblemError extends Error {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(value: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(value.detail ?? value.title);
    this.name = 'ProblemError';
    this.problem = value;
    this.headers = headers;
  }
}

const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Opens an empty API app; `E['Variables']` are those the service's own middleware adds. */
export function createApiApp<E extends Env & { Variables: ApiVariables }>(options: ApiAppOptions): OpenAPIHono<E> {
  const app = new OpenAPIHono<E>({
    defaultHook: (result, c) => {
      if (result.target === 'json' && c.req.header('content-type') === undefined) {
        // the validator takes an absent body for {}, which would let defaults stand for a body that is required
        return answer(c, problem(400, 'body-missing', 'Request body missing', { detail: 'expected a JSON body' }));
      }
      if (result.success) return undefined;
      const input = 'data' in result ? result.data : undefined;
      const errors = describeIssues(result.error, result.target, input);
      const detail = `${errors.length} part(s) of the request are not as the API documents them`;
      return answer(c, problem(400, 'invalid-request', 'Invalid request', { detail, errors }));
    },
  });

  const frame: MiddlewareHandler<E, string> = async (c, next) => {
    const given = parseId('req', c.req.header('x-request-id') ?? '');
    c.set('requestId', given.ok ? given.value : newId('req', options.idSource));
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
    c.res.headers.set('x-request-id', c.get('requestId'));
    const pattern = routePath(c, -1);
    const outgoing = (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing;
    if (outgoing !== undefined && !pattern.endsWith('*')) markRoute(outgoing, pattern.replaceAll(/:([^/]+)/g, '{$1}'));
  };
  app.use('*', frame);
  const maxBytes = options.maxBodyBytes ?? 64 * 1024;
  const tooLarge = problem(413, 'body-too-large', 'Request body too large', {
    detail: `expected at most ${maxBytes} bytes`,
  });
  const limitOther = bodyLimit({ maxSize: maxBytes, onError: (c) => answer(c, tooLarge) });
  const limit: MiddlewareHandler<E, string> = async (c, next) => {
    // a request that was made in this process has its body and no length
    if ((c.env as { incoming?: unknown } | undefined)?.incoming === undefined) return limitOther(c, next);
    // Asking for the body itself would make a web stream of it, which costs as much as all else of a small call. On the wire there is
    // no body without one of the two headers (RFC 9112 6.3), node:http reads as many bytes as the length says, and a DELETE of a
    // browser has neither.
    const { headers } = c.req.raw;
    const length = headers.get('content-length');
    if (length !== null) return Number(length) > maxBytes ? answer(c, tooLarge) : next();
    if (!headers.has('transfer-encoding')) return next();
    return answer(c, problem(411, 'length-required', 'Length required', { detail: 'expected a content-length' }));
  };
  if (options.limitsBody !== false) app.use('*', limit);

  app.notFound((c) => {
    const others = methodsAt(app, c.req.path).filter((method) => method !== c.req.method);
    if (others.length === 0) {
      return answer(
        c,
        problem(404, 'not-found', 'Not found', { detail: `nothing answers at ${c.req.path.slice(0, 200)}` }),
      );
    }
    const allow = others.join(', ');
    const detail = `expected ${allow}, got ${c.req.method.slice(0, 20)}`;
    return answer(c, problem(405, 'method-not-allowed', 'Method not allowed', { detail }), { allow });
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return answer(c, error.problem, error.headers);
    if (error instanceof HTTPException) return answer(c, fromHttpException(error));
    if (options.isOutage?.(error) === true) {
      options.log.warn('request-unavailable', { method: c.req.method, request_id: c.get('requestId'), error });
      const detail = 'something this needs is away: try again shortly';
      return answer(c, problem(503, 'unavailable', 'Unavailable', { detail }), { 'retry-after': '1' });
    }
    options.log.error('request-crashed', {
      method: c.req.method,
      path: c.req.path,
      request_id: c.get('requestId'),
      error,
    });
    return answer(
      c,
      problem(500, 'internal-error', 'Internal error', { detail: 'the log has more under the request id' }),
    );
  });
  return app;
}

function answer(c: Context, value: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const requestId: unknown = c.get('requestId');
  return problemResponse(typeof requestId === 'string' ? { ...value, request_id: requestId } : value, headers);
}

function fromHttpException(error: HTTPException): Problem {
  switch (error.status) {
    case 400:
      return problem(400, 'malformed-body', 'Malformed request', { detail: error.message });
    case 415:
      return problem(415, 'unsupported-media-type', 'Unsupported media type', {
        detail: 'expected "content-type: application/json"',
      });
    default:
      return problem(error.status, 'refused', error.message || 'Refused');
  }
}

/** Methods of the routes (not middleware) whose pattern fits `path`, for the Allow header (RFC 9110 15.5.6). */
function methodsAt(app: { readonly routes: readonly { method: string; path: string }[] }, path: string): string[] {
  const parts = path.split('/');
  const fits = (pattern: string): boolean => {
    const steps = pattern.split('/');
    return steps.length === parts.length && steps.every((step, i) => step.startsWith(':') || step === parts[i]);
  };
  return [...new Set(app.routes.filter((r) => r.method !== 'ALL' && fits(r.path)).map((r) => r.method))].sort();
}
