/** The parts that route declarations share: problem answers, parameters, headers. */
import { problemSchema } from '@millrace/api';
import { z } from 'zod';
import { ProblemError } from './api-app.ts';
import { problem } from './problem.ts';

/** A JSON answer or body of `schema`. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A required JSON body of `schema`. */
export function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** A JSON body of `schema` that may be absent: the route then gets {} and applies the defaults itself. */
export function optionalBody<T extends z.ZodType>(schema: T) {
  return { required: false, content: { 'application/json': { schema } } };
}

function refused(description: string) {
  return { description, content: { 'application/problem+json': { schema: problemSchema } } };
}

/** Refusals of every route: the request itself is wrong. */
export const badRequest = {
  400: refused('The request is not as documented.'),
  500: refused('A fault of the server.'),
} as const;
/** Refusals of every route behind a login. */
export const needsLogin = {
  ...badRequest,
  401: refused('No valid API token.'),
  403: refused("The token's role may not do this."),
  503: refused('Not ready yet: try again after Retry-After.'),
} as const;
/** Refusals of every route with a body. */
export const needsBody = {
  413: refused('The body is over 64 KiB.'),
  415: refused('The body is not JSON.'),
} as const;
export const notThere = { 404: refused('There is no such thing, or it is somebody else’s.') } as const;
export const inTheWay = { 409: refused('The present state does not allow it.') } as const;
export const otherVersion = { 412: refused('If-Match names another version.') } as const;
export const otherBody = { 422: refused('The Idempotency-Key was used with another body.') } as const;

export const tooMany = { 429: refused('Too many of them at once: try again after Retry-After.') } as const;

export const bearer = [{ bearer: [] }];

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{16,128}$/, '16 to 128 printable characters')
    .optional()
    .meta({ description: 'Random, 16 to 128 characters: the same key and body get the first answer for 24 hours.' }),
});

/** The refusal of something that is not there or not the caller's. */
export function notFound(what: string, id: string): ProblemError {
  return new ProblemError(
    problem(404, `${what}-not-found`, `No such ${what}`, { detail: `there is no ${what} ${id}` }),
  );
}

/** Milliseconds as RFC 3339. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds as RFC 3339, or null. */
export function optionalTime(ms: number | undefined): string | null {
  return ms === undefined ? null : time(ms);
}
