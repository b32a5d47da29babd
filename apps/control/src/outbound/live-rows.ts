import type { LiveRecord } from '@millrace/events';
import type { LiveRows } from '../core/store.ts';
import { ms, type Queryable } from './row-mapping.ts';

interface Row {
  readonly stream_id: string;
  readonly owner_id: string;
  readonly epoch: bigint;
  readonly ended: boolean;
  readonly position: bigint;
  readonly state: LiveRecord['state'];
  readonly publish_id: string;
  readonly instance_id: string;
  readonly live_since: Date;
  readonly changed_at: Date;
}

/** Table control.live_states. */
export function createLiveRows(sql: Queryable): LiveRows {
  return {
    async get(streamId) {
      const rows = await sql<Row[]>`SELECT * FROM control.live_states WHERE stream_id = ${streamId}`;
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    async ofStreams(streamIds) {
      if (streamIds.length === 0) return new Map();
      const rows = await sql<Row[]>`SELECT * FROM control.live_states WHERE stream_id IN ${sql([...streamIds])}`;
      return new Map(rows.map((row) => [row.stream_id, toRecord(row)]));
    },
    async lock(streamId) {
      const rows = await sql<Row[]>`SELECT * FROM control.live_states WHERE stream_id = ${streamId} FOR UPDATE`;
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    async save(state) {
      // The WHERE of the update repeats the fold's fence, for two members that insert the same stream's first state.
      const rows = await sql`
        INSERT INTO control.live_states
          (stream_id, owner_id, epoch, ended, position, state, publish_id, instance_id, live_since, changed_at)
        SELECT ${state.streamId}, ${state.ownerId}, ${state.epoch}, ${state.ended}, ${state.position},
          ${state.state}, ${state.publishId}, ${state.instanceId}, ${new Date(state.liveSinceMs)},
          ${new Date(state.changedAtMs)}
        WHERE EXISTS (SELECT 1 FROM control.streams WHERE stream_id = ${state.streamId} FOR KEY SHARE)
        ON CONFLICT (stream_id) DO UPDATE SET epoch = excluded.epoch, ended = excluded.ended,
          position = excluded.position, state = excluded.state, publish_id = excluded.publish_id,
          instance_id = excluded.instance_id, live_since = excluded.live_since, changed_at = excluded.changed_at
        WHERE (live_states.epoch, live_states.ended, live_states.position)
          <= (excluded.epoch, excluded.ended, excluded.position)
        RETURNING stream_id`;
      return rows.length > 0;
    },
    async running(limit) {
      const rows = await sql<Row[]>`
        SELECT * FROM control.live_states WHERE state <> 'idle' ORDER BY stream_id LIMIT ${limit}`;
      return rows.map(toRecord);
    },
  };
}

function toRecord(row: Row): LiveRecord {
  return {
    streamId: row.stream_id,
    ownerId: row.owner_id,
    epoch: Number(row.epoch),
    ended: row.ended,
    position: row.position,
    state: row.state,
    publishId: row.publish_id,
    instanceId: row.instance_id,
    liveSinceMs: ms(row.live_since),
    changedAtMs: ms(row.changed_at),
  };
}
