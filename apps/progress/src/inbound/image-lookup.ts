import { type Actor, confinedTo } from '@millrace/auth';
import { notFound, ProblemError, problem } from '@millrace/http';
import type { ImageRecord } from '../core/image.ts';
import type { ImagePageRequest, ImageRows } from '../core/image-rows.ts';

/** The image if it is there and the actor may reach it; otherwise refuses with 404. `lock`: takes its row lock. */
export async function reachImage(
  rows: ImageRows,
  actor: Actor,
  imgName: string,
  how: 'read' | 'lock',
): Promise<ImageRecord> {
  const image = how === 'lock' ? await rows.lock(imgName) : await rows.get(imgName);
  if (image === undefined || !mayReach(actor, image.ownerId)) throw notFound('image', imgName);
  return image;
}

export function mayReach(actor: Actor, ownerId: string): boolean {
  const owner = confinedTo(actor);
  return owner === undefined || ownerId === owner;
}

/** Whether the actor may bring a picture of the image: it is his, and there is none. */
export function takesPicture(actor: Actor, image: ImageRecord): boolean {
  return image.picture === undefined && mayReach(actor, image.ownerId);
}

/** A cursor behind `imgName`. */
export function nameCursor(imgName: string): string {
  return `n${Buffer.from(imgName, 'latin1').toString('base64url')}`;
}

/** The page that a list's query asks for: one row more than shown, to know whether there are more. Refuses with 400. */
export function namePage(query: { readonly limit: number; readonly cursor?: string | undefined }): ImagePageRequest {
  const limit = query.limit + 1;
  if (query.cursor === undefined) return { after: undefined, limit };
  const after = Buffer.from(query.cursor.slice(1), 'base64url').toString('latin1');
  if (/^[A-Za-z0-9._-]{1,128}$/.test(after)) return { after, limit };
  const expected = 'expected a next_cursor of an earlier page';
  const errors = [{ path: 'query.cursor', expected, got: query.cursor.slice(0, 60) }];
  throw new ProblemError(problem(400, 'invalid-request', 'Invalid request', { detail: expected, errors }));
}
