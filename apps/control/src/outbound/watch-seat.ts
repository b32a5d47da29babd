import { openSession, type Sql } from '@millrace/postgres';
import type { WatchSeat } from '../core/watch-seat.ts';
import { createLiveRows } from './live-rows.ts';

/**
 * The seat as a session advisory lock on a connection of its own. A lost connection is replaced silently and has no lock:
 * so the lock is asked for before and after each read, and an answer that came without it is not ours to act on.
 */
export function openWatchSeat(sql: Sql): WatchSeat & AsyncDisposable {
  let session: Sql | undefined;
  return {
    async running(limit) {
      session ??= openSession(sql);
      if (!(await isMine(session)) && !(await take(session))) return undefined;
      const running = await createLiveRows(session).running(limit);
      return (await isMine(session)) ? running : undefined;
    },
    async [Symbol.asyncDispose]() {
      await session?.end({ timeout: 1 }); // the lock goes with it
      session = undefined;
    },
  };
}

/** Whether the present connection holds the lock; it takes no other. */
async function isMine(session: Sql): Promise<boolean> {
  const rows = await session<{ mine: boolean }[]>`
    SELECT count(*) > 0 AS mine FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted`;
  return rows[0]?.mine === true;
}

async function take(session: Sql): Promise<boolean> {
  const rows = await session<{ taken: boolean }[]>`
    SELECT pg_try_advisory_lock(hashtextextended('millrace-control-instance-watch', 0)) AS taken`;
  return rows[0]?.taken === true;
}
