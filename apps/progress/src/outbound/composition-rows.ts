import type { JobError, JobStatus } from '@millrace/api';
import type { CompositionItem, CompositionOutput, CompositionRecord } from '../core/composition.ts';
import type { CompositionRows } from '../core/composition-rows.ts';
import { optionalDate, optionalMs, type Queryable } from './row-mapping.ts';

interface Row {
  readonly composition_id: string;
  readonly owner_id: string;
  readonly title: string;
  readonly items: readonly CompositionItem[];
  readonly task_id: string;
  readonly status: JobStatus;
  readonly progress: number;
  readonly error: JobError | null;
  readonly output: CompositionOutput | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
}

/** Table progress.compositions. */
export function createCompositionRows(sql: Queryable): CompositionRows {
  return {
    async insert(composition) {
      await sql`INSERT INTO progress.compositions ${sql(toRow(sql, composition))}`;
    },
    async get(id) {
      return first(await sql<Row[]>`SELECT * FROM progress.compositions WHERE composition_id = ${id}`);
    },
    async lock(id) {
      return first(await sql<Row[]>`SELECT * FROM progress.compositions WHERE composition_id = ${id} FOR UPDATE`);
    },
    async save(composition) {
      const { status, progress, error, output, updated_at, finished_at } = toRow(sql, composition);
      const changed = { status, progress, error, output, updated_at, finished_at };
      await sql`
        UPDATE progress.compositions SET ${sql(changed)} WHERE composition_id = ${composition.compositionId}`;
    },
    async list(ownerId, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.compositions
        WHERE ${ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}`}
          AND ${before === undefined ? sql`true` : sql`composition_id < ${before}`}
        ORDER BY composition_id DESC LIMIT ${limit}`;
      return rows.map(toRecord);
    },
  };
}

function toRow(sql: Queryable, composition: CompositionRecord) {
  const { items, error, output } = composition;
  return {
    composition_id: composition.compositionId,
    owner_id: composition.ownerId,
    title: composition.title,
    items: sql.json(
      items.map(({ videoId, startMs, endMs }) => ({
        videoId,
        ...(startMs === undefined ? {} : { startMs }),
        ...(endMs === undefined ? {} : { endMs }),
      })),
    ),
    task_id: composition.taskId,
    status: composition.status,
    progress: composition.progress,
    error: error === undefined ? null : sql.json({ ...error }),
    output: output === undefined ? null : sql.json({ ...output }),
    created_at: new Date(composition.createdAtMs),
    updated_at: new Date(composition.updatedAtMs),
    finished_at: optionalDate(composition.finishedAtMs),
  };
}

function first(rows: readonly Row[]): CompositionRecord | undefined {
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

function toRecord(row: Row): CompositionRecord {
  return {
    compositionId: row.composition_id,
    ownerId: row.owner_id,
    title: row.title,
    items: row.items.map(({ videoId, startMs, endMs }) => ({ videoId, startMs, endMs })),
    taskId: row.task_id,
    status: row.status,
    progress: row.progress,
    error: row.error ?? undefined,
    output: row.output ?? undefined,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
    finishedAtMs: optionalMs(row.finished_at),
  };
}
