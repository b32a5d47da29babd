/**
 * Errors of every HTTP API as RFC 9457 problem documents. `type` is a relative URI that names the kind and never changes;
 * `detail` says what was expected, what came and which id, for the person who reads it.
 */
import type { ServerResponse } from 'node:http';

/** One thing wrong with a request: where (`body.title`, `query.limit`), what was expected and what came. */
export interface ProblemIssue {
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** An RFC 9457 problem document; the same shape as `problemSchema` of @millrace/api. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly request_id?: string;
  readonly errors?: readonly ProblemIssue[];
  /** Extension members (RFC 9457 3.2) of a 409: the job that is in the way, and where its progress is. */
  readonly task_id?: string;
  readonly status_url?: string;
}

export const problemContentType = 'application/problem+json';

/** Builds a problem; `kind` is a kebab-case name such as `stream-not-found`, `title` its meaning in a few words. */
export function problem(
  status: number,
  kind: string,
  title: string,
  extra: Pick<Problem, 'detail' | 'errors' | 'task_id' | 'status_url'> = {},
): Problem {
  return { type: `/problems/${kind}`, title, status, ...extra };
}

/** A problem as a fetch Response, for routes. `headers` are added, such as `retry-after` or `www-authenticate`. */
export function problemResponse(value: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status: value.status,
    headers: { ...headers, 'content-type': problemContentType, 'cache-control': 'no-store' },
  });
}

/** Writes a problem to a plain node response; when headers are out already it can only cut the connection. */
export function writeProblem(
  response: ServerResponse,
  value: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(value.status, {
    ...headers,
    'content-type': problemContentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
