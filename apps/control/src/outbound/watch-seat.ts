import type { Sql } from '@millrace/postgres';
import type postgres from 'postgres';
import type { WatchSeat } from '../core/watch-seat.ts';
import { createLiveRows } from './live-rows.ts';

type Reserved = postgres.ReservedSql<{ bigint: bigint }>;

/**
 * The seat as a session advisory lock on a connection of its own. Reads go through that same connection: when it is lost,
 * so is the lock, and the read fails instead of giving an answer that is no longer ours to act on.
 */
export function openWatchSeat(sql: Sql): WatchSeat & AsyncDisposable {
  let held: Reserved | undefined;
  const leave = async (): Promise<void> => {
    const connection = held;
    held = undefined;
    if (connection === undefined) return;
    await connection`SELECT pg_advisory_unlock_all()`.catch(() => {}); // a lost connection holds no lock
    connection.release();
  };
  return {
    async running(limit) {
      try {
        held ??= await take(sql);
        if (held === undefined) return undefined;
        const rows = await held<{ mine: boolean }[]>`
          SELECT count(*) > 0 AS mine FROM pg_locks
          WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted`;
        if (rows[0]?.mine !== true) {
          await leave(); // postgres.js has put a new connection under the reservation
          return undefined;
        }
        return await createLiveRows(held).running(limit);
      } catch (error) {
        await leave();
        throw error;
      }
    },
    [Symbol.asyncDispose]: leave,
  };
}

async function take(sql: Sql): Promise<Reserved | undefined> {
  const connection = await sql.reserve();
  const rows = await connection<{ taken: boolean }[]>`
    SELECT pg_try_advisory_lock(hashtextextended('millrace-control-instance-watch', 0)) AS taken`;
  if (rows[0]?.taken === true) return connection;
  connection.release();
  return undefined;
}
