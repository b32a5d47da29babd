/** What the route declarations and their handlers share. */
import { problemSchema } from '@millrace/api';
import { type Actor, confinedTo } from '@millrace/auth';
import { ProblemError, problem } from '@millrace/http';
import { assertNever, type Result } from '@millrace/result';
import type { z } from 'zod';
import { type Buckets, type RangeRefusal, type TimeRange, timeRange } from '../core/time-range.ts';
import type { Question, ViewerFilter } from '../core/viewer-filter.ts';
import type { WarehouseFailure } from '../core/warehouse.ts';
import type { RouteDeps } from './api-context.ts';

/** A JSON answer or body of `schema`. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

function refused(description: string) {
  return { description, content: { 'application/problem+json': { schema: problemSchema } } };
}

/** Refusals of every route. */
export const needsLogin = {
  400: refused('The request is not as documented.'),
  401: refused('No valid API token.'),
  403: refused("The token's role may not do this."),
  500: refused('A fault of the server.'),
  503: refused('Not ready, or ClickHouse is away: try again after Retry-After.'),
} as const;
/** Refusals of routes that ask ClickHouse. */
export const asksWarehouse = {
  422: refused('The question needs too much memory or gives too many rows: narrow it.'),
  504: refused('The question takes too long: narrow it.'),
} as const;
export const notThere = { 404: refused('There is no such stream, or it is somebody else’s.') } as const;

export const bearer = [{ bearer: [] }];

/** The refusal of a stream that is not there or not the caller's. */
export function noStream(id: string): ProblemError {
  return new ProblemError(problem(404, 'stream-not-found', 'No such stream', { detail: `there is no stream ${id}` }));
}

/** A value or a thrown problem that says what to narrow. */
export function answered<T>(result: Result<T, WarehouseFailure>): T {
  if (result.ok) return result.value;
  const { error } = result;
  const narrow = 'ask for a shorter range, one stream_id, fewer metrics or longer intervals';
  switch (error.kind) {
    case 'away': {
      const detail = 'ClickHouse does not answer: facts are kept meanwhile, try again shortly';
      throw new ProblemError(problem(503, 'warehouse-away', 'Unavailable', { detail }), { 'retry-after': '5' });
    }
    case 'too-slow':
      throw new ProblemError(
        problem(504, 'question-too-slow', 'Took too long', { detail: `stopped by its time limit: ${narrow}` }),
      );
    case 'too-much':
      throw new ProblemError(
        problem(422, 'question-too-big', 'Too much', { detail: `stopped by its memory or row limit: ${narrow}` }),
      );
    case 'refused':
      throw new Error(`a statement of ours was refused: ${error.message}`);
    default:
      return assertNever(error);
  }
}

/** A range or its refusal as a problem. */
export function accepted<T>(result: Result<T, RangeRefusal>): T {
  if (result.ok) return result.value;
  const { path, expected, got } = result.error;
  const detail = `${path.replace('query.', '')}: expected ${expected}`;
  throw new ProblemError(
    problem(400, 'invalid-request', 'Invalid request', { detail, errors: [{ path, expected, got }] }),
  );
}

/** Query parameters that every analysis takes, as zod gives them. */
export interface RangeQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly stream_id?: string | undefined;
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  readonly player?: string | undefined;
}

/** The question of a request, confined to what its caller may see. */
export function questionOf(
  deps: Pick<RouteDeps, 'clock' | 'board'>,
  actor: Actor,
  query: RangeQuery,
  bucketed: (range: TimeRange) => Buckets,
): Question {
  const nowMs = deps.clock.nowMs();
  const filter: ViewerFilter = {
    ownerId: confinedTo(actor),
    ...{ streamId: query.stream_id, country: query.country, device: query.device, player: query.player },
  };
  const live = deps.board.instances(deps.clock.monotonicMs());
  return { buckets: bucketed(accepted(timeRange(query, nowMs))), filter, nowMs, live };
}

/** Milliseconds as RFC 3339. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}
