import type { Sql } from '@millrace/postgres';
import type { UploadLocks } from '../core/upload-rows.ts';

/** How long a lock lives that is not renewed, ms. By the database's clock, which is the same for all instances. */
const uploadLockMs = 5_000;

/** Table progress.upload_locks. */
export function createUploadLocks(sql: Sql): UploadLocks {
  const until = () => sql`clock_timestamp() + ${uploadLockMs} * interval '1 millisecond'`;
  return {
    async take(uploadId, token) {
      const taken = await sql`
        INSERT INTO progress.upload_locks (upload_id, token, until) VALUES (${uploadId}, ${token}, ${until()})
        ON CONFLICT (upload_id) DO UPDATE SET token = excluded.token, until = excluded.until, wanted = false
        WHERE upload_locks.until <= clock_timestamp()
        RETURNING token`;
      if (taken.length > 0) return true;
      await sql`UPDATE progress.upload_locks SET wanted = true WHERE upload_id = ${uploadId} AND NOT wanted`;
      return false;
    },
    async renew(held) {
      const [uploads, tokens] = [[...held.keys()], [...held.values()]];
      const rows = await sql<{ upload_id: string; wanted: boolean }[]>`
        UPDATE progress.upload_locks l SET until = ${until()}
        FROM unnest(${uploads}::text[], ${tokens}::text[]) AS h(upload_id, token)
        WHERE l.upload_id = h.upload_id AND l.token = h.token
        RETURNING l.upload_id, l.wanted`;
      const kept = new Set(rows.map((row) => row.upload_id));
      return {
        wanted: rows.filter((row) => row.wanted).map((row) => row.upload_id),
        lost: uploads.filter((uploadId) => !kept.has(uploadId)),
      };
    },
    async sweep() {
      await sql`DELETE FROM progress.upload_locks WHERE until < clock_timestamp() - interval '1 hour'`;
    },
    async release(uploadId, token) {
      await sql`DELETE FROM progress.upload_locks WHERE upload_id = ${uploadId} AND token = ${token}`;
    },
  };
}
