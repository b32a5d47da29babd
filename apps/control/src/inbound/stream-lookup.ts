import { ProblemError, problem } from '@millrace/http';
import { type Actor, confinedTo } from '../core/access.ts';
import { decodeCursor } from '../core/cursor.ts';
import type { PageRequest, StreamRows } from '../core/store.ts';
import type { StreamRecord } from '../core/stream.ts';
import { notFound } from './route-parts.ts';

/** The stream if it is there and the actor may reach it; otherwise refuses with 404. `lock`: takes its row lock. */
export async function reachStream(
  rows: StreamRows,
  actor: Actor,
  streamId: string,
  how: 'read' | 'lock',
): Promise<StreamRecord> {
  const stream = how === 'lock' ? await rows.lock(streamId) : await rows.get(streamId);
  const owner = confinedTo(actor);
  if (stream === undefined || (owner !== undefined && stream.ownerId !== owner)) throw notFound('stream', streamId);
  return stream;
}

/** The page that a list's query asks for: one row more than shown, to know whether there are more. */
export function pageRequest(query: { readonly limit: number; readonly cursor?: string | undefined }): PageRequest {
  if (query.cursor === undefined) return { before: undefined, limit: query.limit + 1 };
  const id = decodeCursor(query.cursor);
  if (id.ok) return { before: id.value, limit: query.limit + 1 };
  const errors = [{ path: 'query.cursor', expected: id.error.message, got: query.cursor.slice(0, 60) }];
  throw new ProblemError(problem(400, 'invalid-request', 'Invalid request', { detail: id.error.message, errors }));
}
