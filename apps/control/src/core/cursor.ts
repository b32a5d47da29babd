/**
 * Pages go from the newest id to the oldest, and a cursor is the last id shown. Ids rise with time, so what is inserted
 * while somebody turns pages lands before the first page: every item that was there is shown exactly once.
 */
import { err, ok, type Result } from '@millrace/result';

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
