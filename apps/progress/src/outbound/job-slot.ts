import type { JobKind } from '@millrace/events';
import type { Queryable } from './row-mapping.ts';

/**
 * A condition on progress.jobs: of that slot. The kind is compared in a way that no index serves: as long as the table has no statistics,
 * one by kind alone seems as good to PostgreSQL as one by subject, and with it every job of the kind is read.
 */
export function inSlot(sql: Queryable, kind: JobKind, subject: string): ReturnType<Queryable> {
  return sql`subject = ${subject} AND kind IS NOT DISTINCT FROM ${kind}`;
}
