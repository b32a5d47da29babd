import { confinedTo } from '@millrace/auth';
import { notFound } from '@millrace/http';
import type { Actor } from '../core/access.ts';
import type { StreamRows } from '../core/store.ts';
import type { StreamRecord } from '../core/stream.ts';

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
