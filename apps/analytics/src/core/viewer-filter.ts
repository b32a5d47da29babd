/** Whom a question is about, as conditions of SQL. Whatever is asked, `ownerId` confines it to that owner's streams. */

import type { SqlQuery } from './sql-query.ts';
import type { Buckets } from './time-range.ts';

export type Dimension = 'stream' | 'country' | 'device' | 'player';

export interface ViewerFilter {
  /** Undefined: everybody's (an admin asks). */
  readonly ownerId: string | undefined;
  readonly streamId?: string | undefined;
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  readonly player?: string | undefined;
}

/** Delivery instances that live now, and since when (ms): an open session of another one is over. */
export type LiveInstances = ReadonlyMap<string, number>;

/** What every question carries. */
export interface Question {
  readonly buckets: Buckets;
  readonly filter: ViewerFilter;
  readonly nowMs: number;
  readonly live: LiveInstances;
}

/** An open session without any report counts as watching for this long at most, ms. */
export const openSessionMs = 12 * 3_600_000;

/** Column of session_states that a breakdown groups by. */
export const columnOf = {
  stream: 'stream_id',
  country: 'country',
  device: 'device',
  player: 'player',
} as const satisfies Readonly<Record<Dimension, string>>;

/** Whether the filter looks at anything that only the session knows. */
export function looksAtViewer(filter: ViewerFilter): boolean {
  return filter.country !== undefined || filter.device !== undefined || filter.player !== undefined;
}

/** Conditions on owner and stream, for any table that has both columns; starts with AND unless empty. */
export function ofOwner(filter: ViewerFilter): string {
  return `${filter.ownerId === undefined ? '' : ' AND owner_id = {owner:String}'}${
    filter.streamId === undefined ? '' : ' AND stream_id = {stream:String}'
  }`;
}

/** Conditions on what only the session knows. */
export function ofViewer(filter: ViewerFilter): string {
  const named = (['country', 'device', 'player'] as const).filter((name) => filter[name] !== undefined);
  return named.map((name) => ` AND ${name} = {${name}:String}`).join('');
}

/** Values of a question. */
export function valuesOf(question: Question): SqlQuery['params'] {
  const { buckets, filter, live, nowMs } = question;
  const instances = [...live].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    from: buckets.fromMs,
    to: buckets.toMs,
    step: buckets.stepMs,
    buckets: buckets.count,
    now: nowMs,
    open_ms: openSessionMs,
    live: instances.map(([id]) => id),
    live_since: instances.map(([, since]) => since),
    ...(filter.ownerId === undefined ? {} : { owner: filter.ownerId }),
    ...(filter.streamId === undefined ? {} : { stream: filter.streamId }),
    ...(filter.country === undefined ? {} : { country: filter.country }),
    ...(filter.device === undefined ? {} : { device: filter.device }),
    ...(filter.player === undefined ? {} : { player: filter.player }),
  };
}
