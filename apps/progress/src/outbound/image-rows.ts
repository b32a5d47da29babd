import type { ImageVideoStatus } from '@millrace/api';
import type { ImageRecord, Picture, PictureImport, Settled, StatusChange, Thumbnail } from '../core/image.ts';
import type { ImageRows } from '../core/image-rows.ts';
import { optionalDate, optionalMs, type Queryable } from './row-mapping.ts';

interface Row {
  readonly img_name: string;
  readonly owner_id: string;
  readonly source_type: string;
  readonly video_status: ImageVideoStatus;
  readonly video_id: string | null;
  readonly playback_id: string | null;
  readonly video_key: string | null;
  readonly task_id: string | null;
  readonly progress: number;
  readonly error: string | null;
  readonly video_parameters: Record<string, unknown> | null;
  readonly video_started_at: Date | null;
  readonly video_finished_at: Date | null;
  readonly before: Settled | null;
  readonly access_sha256: string | null;
  readonly picture: Picture | null;
  readonly picture_import: 'importing' | 'failed' | null;
  readonly picture_error: string | null;
  readonly thumbnail: Thumbnail | null;
  readonly thumbnail_due_at: Date | null;
  readonly size_bytes: bigint;
  readonly prompt: string | null;
  readonly parameters: Record<string, unknown>;
  readonly changes: bigint;
  readonly created_at: Date;
  readonly updated_at: Date;
}

interface HistoryRow {
  readonly change: bigint;
  readonly at: Date;
  readonly from_status: ImageVideoStatus;
  readonly to_status: ImageVideoStatus;
  readonly task_id: string | null;
  readonly reason: string | null;
}

/** Of each image so many changes are kept. */
const keptChanges = 1_000;
/** Behind every character of a name. */
const behindNames = '\u007f';
const nameParts = /^[A-Za-z0-9._-]*$/;

/** Tables progress.images, progress.image_history and progress.image_owners. */
export function createImageRows(sql: Queryable): ImageRows {
  return {
    async insert(image) {
      const rows = await sql`
        INSERT INTO progress.images ${sql(toRow(sql, image))} ON CONFLICT (img_name) DO NOTHING RETURNING img_name`;
      return rows.length > 0;
    },
    async get(imgName) {
      return first(await sql<Row[]>`SELECT * FROM progress.images WHERE img_name = ${imgName}`);
    },
    async lock(imgName) {
      return first(await sql<Row[]>`SELECT * FROM progress.images WHERE img_name = ${imgName} FOR UPDATE`);
    },
    async lockThumbnailDue(nowMs) {
      return first(
        await sql<Row[]>`
          SELECT * FROM progress.images WHERE picture IS NOT NULL AND thumbnail_due_at <= ${new Date(nowMs)}
          ORDER BY thumbnail_due_at DESC LIMIT 1 FOR UPDATE SKIP LOCKED`,
      );
    },
    async save(image, changes) {
      const { img_name, owner_id: _1, created_at: _2, ...changed } = toRow(sql, image);
      await sql`UPDATE progress.images SET ${sql(changed)} WHERE img_name = ${img_name}`;
      for (const change of changes) {
        await sql`INSERT INTO progress.image_history ${sql({ img_name, ...toHistoryRow(change) })}`;
        const last = String(change.change - keptChanges);
        await sql`DELETE FROM progress.image_history WHERE img_name = ${img_name} AND change = ${last}::int8`;
      }
    },
    async remove(imgName) {
      await sql`DELETE FROM progress.images WHERE img_name = ${imgName}`;
    },
    async hasVideo(imgName) {
      const rows = await sql<{ owner_id: string; has_video: boolean }[]>`
        SELECT owner_id, has_video FROM progress.images WHERE img_name = ${imgName}`;
      const row = rows[0];
      return row && { ownerId: row.owner_id, hasVideo: row.has_video };
    },
    async getMany(imgNames) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.images WHERE img_name = ANY(${[...imgNames]}::text[]) ORDER BY img_name`;
      return rows.map(toRecord);
    },
    async list({ ownerId, status, sourceType, hasVideo, prefix = '' }, { after, limit }) {
      if (!nameParts.test(prefix)) return [];
      const rows = await sql<Row[]>`
        SELECT * FROM progress.images
        WHERE ${ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}`}
          AND ${status === undefined ? sql`true` : sql`video_status = ${status}`}
          AND ${sourceType === undefined ? sql`true` : sql`source_type = ${sourceType}`}
          AND ${hasVideo === undefined ? sql`true` : sql`has_video = ${hasVideo}`}
          AND ${prefix === '' ? sql`true` : sql`img_name >= ${prefix} AND img_name < ${prefix + behindNames}`}
          AND ${after === undefined ? sql`true` : sql`img_name > ${after}`}
        ORDER BY img_name LIMIT ${limit}`;
      return rows.map(toRecord);
    },
    async history(imgName, limit, before) {
      const rows = await sql<HistoryRow[]>`
        SELECT * FROM progress.image_history WHERE img_name = ${imgName}
          AND ${before === undefined ? sql`true` : sql`change < ${String(before)}::int8`}
        ORDER BY change DESC LIMIT ${limit}`;
      return rows.map(toChange);
    },
    async nameOfVideo(videoId) {
      const rows = await sql<{ img_name: string }[]>`
        SELECT img_name FROM progress.images WHERE video_id = ${videoId}`;
      return rows[0]?.img_name;
    },
    async takeRoom(ownerId, more, most) {
      await sql`
        INSERT INTO progress.image_owners (owner_id, images, bytes) VALUES (${ownerId}, 0, 0) ON CONFLICT DO NOTHING`;
      const rows = await sql`
        UPDATE progress.image_owners SET images = images + ${more.images}, bytes = bytes + ${more.bytes}
        WHERE owner_id = ${ownerId} AND images + ${more.images} <= ${most.images} AND bytes + ${more.bytes} <= ${most.bytes}
        RETURNING owner_id`;
      return rows.length > 0;
    },
    async giveRoom(ownerId, less) {
      await sql`
        UPDATE progress.image_owners SET images = images - ${less.images}, bytes = bytes - ${less.bytes}
        WHERE owner_id = ${ownerId}`;
    },
  };
}

function toRow(sql: Queryable, image: ImageRecord) {
  const json = (value: object | undefined) =>
    value === undefined ? null : sql.json(JSON.parse(JSON.stringify(value)) as Record<string, never>);
  return {
    img_name: image.imgName,
    owner_id: image.ownerId,
    source_type: image.sourceType,
    has_video: image.video !== undefined,
    video_status: image.status,
    video_id: image.video?.videoId ?? null,
    playback_id: image.video?.playbackId ?? null,
    video_key: image.video?.key ?? null,
    task_id: image.taskId ?? null,
    progress: image.progress,
    error: image.error ?? null,
    video_parameters: json(image.videoParameters),
    video_started_at: optionalDate(image.startedAtMs),
    video_finished_at: optionalDate(image.finishedAtMs),
    before: json(image.before),
    access_sha256: image.accessSha256 ?? null,
    picture: json(image.picture),
    picture_import: image.pictureImport?.kind ?? null,
    picture_error: image.pictureImport?.kind === 'failed' ? image.pictureImport.reason : null,
    thumbnail: json(image.thumbnail),
    thumbnail_due_at: optionalDate(image.thumbnailDueMs),
    size_bytes: image.sizeBytes,
    prompt: image.prompt ?? null,
    parameters: json(image.parameters),
    changes: image.changes,
    created_at: new Date(image.createdAtMs),
    updated_at: new Date(image.updatedAtMs),
  };
}

function first(rows: readonly Row[]): ImageRecord | undefined {
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

function toRecord(row: Row): ImageRecord {
  const { video_id: videoId, playback_id: playbackId, video_key: key, before } = row;
  const hasVideo = videoId !== null && playbackId !== null && key !== null;
  return {
    imgName: row.img_name,
    ownerId: row.owner_id,
    sourceType: row.source_type,
    picture: row.picture ?? undefined,
    pictureImport: importOf(row),
    thumbnail: row.thumbnail ?? undefined,
    thumbnailDueMs: optionalMs(row.thumbnail_due_at),
    sizeBytes: Number(row.size_bytes),
    prompt: row.prompt ?? undefined,
    parameters: row.parameters,
    status: row.video_status,
    video: hasVideo ? { videoId, playbackId, key } : undefined,
    taskId: row.task_id ?? undefined,
    progress: row.progress,
    error: row.error ?? undefined,
    videoParameters: row.video_parameters ?? undefined,
    startedAtMs: optionalMs(row.video_started_at),
    finishedAtMs: optionalMs(row.video_finished_at),
    before:
      before === null
        ? undefined
        : {
            ...{ status: before.status, progress: before.progress, taskId: before.taskId, error: before.error },
            ...{ startedAtMs: before.startedAtMs, finishedAtMs: before.finishedAtMs },
          },
    accessSha256: row.access_sha256 ?? undefined,
    changes: Number(row.changes),
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}

function importOf({ picture_import: kind, picture_error: reason }: Row): PictureImport | undefined {
  if (kind === null) return undefined;
  return kind === 'importing' ? { kind } : { kind, reason: reason ?? '' };
}

function toHistoryRow(change: StatusChange) {
  return {
    change: change.change,
    at: new Date(change.atMs),
    from_status: change.from,
    to_status: change.to,
    task_id: change.taskId ?? null,
    reason: change.reason ?? null,
  };
}

function toChange(row: HistoryRow): StatusChange {
  return {
    change: Number(row.change),
    atMs: row.at.getTime(),
    from: row.from_status,
    to: row.to_status,
    taskId: row.task_id ?? undefined,
    reason: row.reason ?? undefined,
  };
}
