/**
 * Pages go from the newest id to the oldest, and a cursor is the last id shown. Ids rise with time, so what is inserted
 * while somebody turns pages lands before the first page: every item that was there is shown exactly once.
 */
import { err, ok, type Result } from '@millrace/result';
import { ProblemError } from './api-app.ts';
import { problem } from './problem.ts';

/** One page of a list from the newest id down: ids below `before`, at most `limit` rows. */
export interface PageRequest {
  readonly before: string | undefined;
  readonly limit: number;
}

const version = 'a';
const alphabet = /^[0-9a-z_]{4,40}$/;

/** An opaque cursor after `id`. */
export function encodeCursor(id: string): string {
  return version + [...id].reverse().join('');
}

/** The id in a cursor. The error says what was expected. */
export function decodeCursor(cursor: string): Result<string, { kind: 'bad-cursor'; message: string }> {
  const id = [...cursor.slice(version.length)].reverse().join('');
  if (cursor.startsWith(version) && alphabet.test(id)) return ok(id);
  return err({ kind: 'bad-cursor', message: 'expected a next_cursor of an earlier page' });
}

/** Makes a page of `limit` from rows read with `limit + 1`: the extra row says that there is more. */
export function pageOfRows<R, T>(
  rows: readonly R[],
  limit: number,
  id: (row: R) => string,
  show: (row: R) => T,
): { items: T[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(show),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(id(last)) : null,
  };
}

/** The page that a list's query asks for: one row more than shown, to know whether there are more. Refuses with 400. */
export function pageRequest(query: { readonly limit: number; readonly cursor?: string | undefined }): PageRequest {
  if (query.cursor === undefined) return { before: undefined, limit: query.limit + 1 };
  const id = decodeCursor(query.cursor);
  if (id.ok) return { before: id.value, limit: query.limit + 1 };
  const errors = [{ path: 'query.cursor', expected: id.error.message, got: query.cursor.slice(0, 60) }];
  throw new ProblemError(problem(400, 'invalid-request', 'Invalid request', { detail: id.error.message, errors }));
}
