import type { ImportRecord, ImportRows } from '../core/import-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly video_id: string;
  readonly owner_id: string;
  readonly url: string;
  readonly tries: number;
}

/** Table progress.imports. */
export function createImportRows(sql: Queryable): ImportRows {
  return {
    async add({ videoId, ownerId, url }, nowMs) {
      await sql`
        INSERT INTO progress.imports (video_id, owner_id, url, try_at)
        VALUES (${videoId}, ${ownerId}, ${url}, ${new Date(nowMs)})`;
    },
    async take(nowMs, nextTryAtMs) {
      const rows = await sql<Row[]>`
        UPDATE progress.imports SET tries = tries + 1, try_at = ${new Date(nextTryAtMs)}
        WHERE video_id = (
          SELECT video_id FROM progress.imports WHERE try_at <= ${new Date(nowMs)}
          ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING video_id, owner_id, url, tries`;
      const [row] = rows;
      return row === undefined ? undefined : toRecord(row);
    },
    async putOff(videoId, nextTryAtMs) {
      const rows = await sql`
        UPDATE progress.imports SET try_at = ${new Date(nextTryAtMs)} WHERE video_id = ${videoId} RETURNING video_id`;
      return rows.length > 0;
    },
    async remove(videoId) {
      await sql`DELETE FROM progress.imports WHERE video_id = ${videoId}`;
    },
  };
}

function toRecord(row: Row): ImportRecord {
  return { videoId: row.video_id, ownerId: row.owner_id, url: row.url, tries: row.tries };
}
