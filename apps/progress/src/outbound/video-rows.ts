import type { JobError, JobStatus, MediaFacts } from '@millrace/api';
import type { Visibility } from '@millrace/events';
import type { Playable, SourceState, VideoOrigin, VideoRecord } from '../core/video.ts';
import type { VideoRows } from '../core/video-rows.ts';
import { addToCount, countOf } from './owner-counts.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly video_id: string;
  readonly playback_id: string;
  readonly owner_id: string;
  readonly title: string;
  readonly visibility: Visibility;
  readonly origin: VideoOrigin;
  readonly language: string | null;
  readonly source_state: SourceState;
  readonly source_key: string | null;
  readonly size_bytes: bigint | null;
  readonly source_error: string | null;
  readonly process_on_source: boolean;
  readonly status: JobStatus;
  readonly task_id: string | null;
  readonly progress: number;
  readonly error: JobError | null;
  readonly media: MediaFacts | null;
  readonly playable: Playable | null;
  readonly file_key: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** Tables progress.videos and progress.video_outcomes. */
export function createVideoRows(sql: Queryable): VideoRows {
  return {
    async insert(video) {
      const row = toRow(sql, video);
      await sql`
        WITH counted AS (${addToCount(sql, 'videos', sql`SELECT ${row.owner_id}::text AS owner_id, 1 AS more`)})
        INSERT INTO progress.videos ${sql(row)}`;
    },
    async get(videoId) {
      return first(await sql<Row[]>`SELECT * FROM progress.videos WHERE video_id = ${videoId}`);
    },
    async getMany(videoIds) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.videos WHERE video_id = ANY(${[...videoIds]}::text[])`;
      return rows.map(toRecord);
    },
    async lock(videoId) {
      return first(await sql<Row[]>`SELECT * FROM progress.videos WHERE video_id = ${videoId} FOR UPDATE`);
    },
    async save(video) {
      const { video_id, playback_id: _1, owner_id: _2, origin: _3, created_at: _4, ...changed } = toRow(sql, video);
      await sql`UPDATE progress.videos SET ${sql(changed)} WHERE video_id = ${video_id}`;
    },
    async remove(videoId) {
      await sql`
        WITH gone AS (DELETE FROM progress.videos WHERE video_id = ${videoId} RETURNING owner_id)
        ${addToCount(sql, 'videos', sql`SELECT owner_id, -1 AS more FROM gone`)}`;
    },
    async list(filter, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.videos
        WHERE ${filter.ownerId === undefined ? sql`true` : sql`owner_id = ${filter.ownerId}`}
          AND ${filter.status === undefined ? sql`true` : sql`status = ${filter.status}`}
          AND ${filter.origin === undefined ? sql`true` : sql`origin = ${filter.origin}`}
          AND ${filter.title === undefined ? sql`true` : sql`position(lower(${filter.title}) IN lower(title)) > 0`}
          AND ${before === undefined ? sql`true` : sql`video_id < ${before}`}
        ORDER BY video_id DESC LIMIT ${limit}`;
      return rows.map(toRecord);
    },
    async takeTurn(ownerId) {
      await sql`SELECT pg_advisory_xact_lock(${turnOf(sql, ownerId)})`;
    },
    async shareTurnAndCount(ownerId) {
      const rows = await sql<{ n: number }[]>`
        SELECT ${countOf(sql, 'videos', ownerId)} + ${countOf(sql, 'openJobs', ownerId)} AS n
        FROM pg_advisory_xact_lock_shared(${turnOf(sql, ownerId)})`;
      return rows[0]?.n ?? 0;
    },
    async countWithComing(ownerId) {
      const rows = await sql<{ n: number }[]>`
        SELECT ${countOf(sql, 'videos', ownerId)} + (
          SELECT count(*) FROM progress.jobs AS job
          WHERE owner_id = ${ownerId} AND status IN ('pending', 'processing') AND (kind = 'compose' OR (
            kind = 'image-video' AND NOT EXISTS (
              SELECT 1 FROM progress.images WHERE img_name = job.subject AND has_video))))::int AS n`;
      return rows[0]?.n ?? 0;
    },
    async sourceBytes(ownerId) {
      const rows = await sql<{ n: bigint }[]>`
        SELECT coalesce(sum(size_bytes), 0)::bigint AS n FROM progress.videos WHERE owner_id = ${ownerId}`;
      return Number(rows[0]?.n ?? 0n);
    },
    async keepOutcomes(videoId, outcomes) {
      await sql`
        INSERT INTO progress.video_outcomes (video_id, outcomes) VALUES (${videoId}, ${JSON.stringify(outcomes)}::text::jsonb)
        ON CONFLICT (video_id) DO UPDATE SET outcomes = excluded.outcomes`;
    },
    async outcomes(videoId) {
      const rows = await sql<{ outcomes: Awaited<ReturnType<VideoRows['outcomes']>> }[]>`
        SELECT outcomes FROM progress.video_outcomes WHERE video_id = ${videoId}`;
      return rows[0]?.outcomes ?? [];
    },
  };
}

function turnOf(sql: Queryable, ownerId: string) {
  return sql`hashtextextended(${`progress-videos-${ownerId}`}, 0)`;
}

function toRow(sql: Queryable, video: VideoRecord) {
  return {
    video_id: video.videoId,
    playback_id: video.playbackId,
    owner_id: video.ownerId,
    title: video.title,
    visibility: video.visibility,
    origin: video.origin,
    language: video.language ?? null,
    source_state: video.sourceState,
    source_key: video.sourceKey ?? null,
    size_bytes: video.sizeBytes ?? null,
    source_error: video.sourceError ?? null,
    process_on_source: video.processOnSource,
    status: video.status,
    task_id: video.taskId ?? null,
    progress: video.progress,
    error: video.error === undefined ? null : sql.json({ ...video.error }),
    media: video.media === undefined ? null : sql.json({ ...video.media }),
    playable:
      video.playable === undefined
        ? null
        : sql.json({
            ...{ asset: video.playable.asset, complete: video.playable.complete },
            poster: video.playable.poster ?? null,
            storyboard: video.playable.storyboard ?? null,
            subtitles: video.playable.subtitles.map((track) => ({ ...track })),
          }),
    file_key: video.fileKey ?? null,
    created_at: new Date(video.createdAtMs),
    updated_at: new Date(video.updatedAtMs),
  };
}

function first(rows: readonly Row[]): VideoRecord | undefined {
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

function toRecord(row: Row): VideoRecord {
  return {
    videoId: row.video_id,
    playbackId: row.playback_id,
    ownerId: row.owner_id,
    title: row.title,
    visibility: row.visibility,
    origin: row.origin,
    language: row.language ?? undefined,
    sourceState: row.source_state,
    sourceKey: row.source_key ?? undefined,
    sizeBytes: row.size_bytes === null ? undefined : Number(row.size_bytes),
    sourceError: row.source_error ?? undefined,
    processOnSource: row.process_on_source,
    status: row.status,
    taskId: row.task_id ?? undefined,
    progress: row.progress,
    error: row.error ?? undefined,
    media: row.media ?? undefined,
    playable:
      row.playable === null
        ? undefined
        : {
            ...row.playable,
            poster: row.playable.poster ?? undefined,
            storyboard: row.playable.storyboard ?? undefined,
          },
    fileKey: row.file_key ?? undefined,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}
