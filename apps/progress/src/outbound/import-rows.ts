import type { ImportRecord, ImportRows, OriginalImportRows } from '../core/import-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly subject: string;
  readonly owner_id: string;
  readonly url: string;
  readonly tries: number;
}

interface KeptRow {
  readonly validator: string;
  readonly total_bytes: bigint | null;
  readonly folder: string;
  readonly kept_bytes: bigint;
  readonly parts: readonly { readonly start_byte: number; readonly size_bytes: number; readonly key: string }[];
}

interface ProgressRow {
  readonly video_id: string;
  readonly received_bytes: bigint;
  readonly total_bytes: bigint | null;
}

/** Tables progress.imports, originals of videos, and progress.import_parts. */
export function createImportRows(sql: Queryable): OriginalImportRows {
  return {
    ...createRows(sql, 'progress.imports', 'video_id'),
    async kept(videoId) {
      const rows = await sql<KeptRow[]>`
        SELECT validator, total_bytes, folder, kept_bytes, coalesce((
          SELECT jsonb_agg(jsonb_build_object('start_byte', start_byte, 'size_bytes', size_bytes, 'key', key)
            ORDER BY start_byte) FROM progress.import_parts p WHERE p.video_id = i.video_id), '[]') AS parts
        FROM progress.imports i WHERE video_id = ${videoId} AND folder IS NOT NULL`;
      const [row] = rows;
      if (row === undefined) return undefined;
      return {
        ...{ validator: row.validator, folder: row.folder, keptBytes: Number(row.kept_bytes) },
        totalBytes: row.total_bytes === null ? undefined : Number(row.total_bytes),
        parts: row.parts.map((part) => ({ startByte: part.start_byte, sizeBytes: part.size_bytes, key: part.key })),
      };
    },
    async keep(videoId, before, version) {
      const rows = await sql`
        WITH begun AS (
          UPDATE progress.imports SET validator = ${version?.validator ?? null}, folder = ${version?.folder ?? null},
            total_bytes = ${version?.totalBytes ?? null}, received_bytes = 0, kept_bytes = 0
          WHERE video_id = ${videoId} AND folder IS NOT DISTINCT FROM ${before ?? null}
          RETURNING video_id
        ), gone AS (
          DELETE FROM progress.import_parts p USING begun WHERE p.video_id = begun.video_id
        )
        SELECT 1 FROM begun`;
      return rows.length > 0;
    },
    async addPart(videoId, folder, { startByte, sizeBytes, key }, moves) {
      const rows = await sql`
        WITH moved AS (
          UPDATE progress.imports SET kept_bytes = ${startByte + sizeBytes},
            tries = CASE WHEN ${moves} THEN least(tries, 1) ELSE tries END
          WHERE video_id = ${videoId} AND folder = ${folder} AND kept_bytes = ${startByte}
          RETURNING video_id
        )
        INSERT INTO progress.import_parts (video_id, start_byte, size_bytes, key)
        SELECT video_id, ${startByte}, ${sizeBytes}, ${key} FROM moved RETURNING video_id`;
      return rows.length > 0;
    },
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
