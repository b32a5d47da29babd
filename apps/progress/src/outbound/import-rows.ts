import type { ImportRecord, ImportRows, OriginalImportRows } from '../core/import-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly subject: string;
  readonly owner_id: string;
  readonly url: string;
  readonly tries: number;
}

interface ProgressRow {
  readonly video_id: string;
  readonly received_bytes: bigint;
  readonly total_bytes: bigint | null;
}

/** Table progress.imports: originals of videos. */
export function createImportRows(sql: Queryable): OriginalImportRows {
  return {
    ...createRows(sql, 'progress.imports', 'video_id'),
    async moved(videoId, { receivedBytes, totalBytes }) {
      const rows = await sql`
        UPDATE progress.imports SET received_bytes = ${receivedBytes}, total_bytes = ${totalBytes ?? null}
        WHERE video_id = ${videoId} RETURNING video_id`;
      return rows.length > 0;
    },
    async progressOf(videoIds) {
      if (videoIds.length === 0) return new Map();
      const rows = await sql<ProgressRow[]>`
        SELECT video_id, received_bytes, total_bytes FROM progress.imports
        WHERE video_id = ANY(${[...videoIds]}::text[])`;
      return new Map(
        rows.map((row) => [
          row.video_id,
          {
            receivedBytes: Number(row.received_bytes),
            totalBytes: row.total_bytes === null ? undefined : Number(row.total_bytes),
          },
        ]),
      );
    },
  };
}

/** Table progress.picture_imports. */
export function createPictureImportRows(sql: Queryable): ImportRows {
  return createRows(sql, 'progress.picture_imports', 'img_name');
}

function createRows(sql: Queryable, tableName: string, keyName: string): ImportRows {
  const table = sql(tableName);
  const key = sql(keyName);
  return {
    async add({ subject, ownerId, url }, nowMs) {
      await sql`
        INSERT INTO ${table} (${key}, owner_id, url, try_at)
        VALUES (${subject}, ${ownerId}, ${url}, ${new Date(nowMs)})`;
    },
    async take(nowMs, nextTryAtMs) {
      const rows = await sql<Row[]>`
        UPDATE ${table} SET tries = tries + 1, try_at = ${new Date(nextTryAtMs)}
        WHERE ${key} = (
          SELECT ${key} FROM ${table} WHERE try_at <= ${new Date(nowMs)}
          ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING ${key} AS subject, owner_id, url, tries`;
      const [row] = rows;
      return row === undefined ? undefined : toRecord(row);
    },
    async putOff(subject, nextTryAtMs) {
      const rows = await sql`
        UPDATE ${table} SET try_at = ${new Date(nextTryAtMs)} WHERE ${key} = ${subject} RETURNING ${key}`;
      return rows.length > 0;
    },
    async remove(subject) {
      await sql`DELETE FROM ${table} WHERE ${key} = ${subject}`;
    },
  };
}

function toRecord(row: Row): ImportRecord {
  return { subject: row.subject, ownerId: row.owner_id, url: row.url, tries: row.tries };
}
