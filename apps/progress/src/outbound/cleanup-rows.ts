import type { CleanupRows } from '../core/store.ts';
import type { Queryable } from './row-mapping.ts';

/** Table progress.cleanups. */
export function createCleanupRows(sql: Queryable): CleanupRows {
  return {
    async add(entries, nowMs) {
      if (entries.length === 0) return;
      const targets = entries.map((entry) => ('prefix' in entry ? entry.prefix : entry.key));
      for (const [at, entry] of entries.entries()) {
        const target = targets[at] ?? '';
        // the empty prefix is everything there is
        if (target.endsWith('/') !== 'prefix' in entry || target === '' || target.startsWith('/')) {
          throw new Error(`cleanup: expected a prefix that ends in "/" or a key that does not, got "${target}"`);
        }
      }
      await sql`
        INSERT INTO progress.cleanups (target, again, due_at)
        SELECT target, true, ${new Date(nowMs)} FROM unnest(${targets}::text[]) AS target`;
    },
    async take(nowMs, againMs, limit) {
      const rows = await sql<{ cleanup_id: bigint; target: string; again: boolean; failures: number }[]>`
        UPDATE progress.cleanups AS cleanup SET due_at = ${new Date(againMs)}
        FROM (SELECT cleanup_id FROM progress.cleanups WHERE due_at <= ${new Date(nowMs)} ORDER BY due_at
          LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS due
        WHERE cleanup.cleanup_id = due.cleanup_id
        RETURNING cleanup.cleanup_id, cleanup.target, cleanup.again, cleanup.failures`;
      return rows.map((row) => ({
        cleanupId: row.cleanup_id,
        target: row.target,
        again: row.again,
        failures: row.failures,
      }));
    },
    async settle(cleanupIds, onceMoreMs) {
      if (cleanupIds.length === 0) return;
      const ids = cleanupIds.map(String);
      if (onceMoreMs === undefined) {
        await sql`DELETE FROM progress.cleanups WHERE cleanup_id = ANY(${ids}::int8[])`;
      } else {
        await sql`
          UPDATE progress.cleanups SET again = false, failures = 0, due_at = ${new Date(onceMoreMs)}
          WHERE cleanup_id = ANY(${ids}::int8[])`;
      }
    },
    async withdraw(key) {
      await sql`DELETE FROM progress.cleanups WHERE target = ${key}`;
    },
    async postpone(cleanupId, untilMs) {
      await sql`
        UPDATE progress.cleanups SET failures = failures + 1, due_at = ${new Date(untilMs)}
        WHERE cleanup_id = ${String(cleanupId)}::int8`;
    },
  };
}
