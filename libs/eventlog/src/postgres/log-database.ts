/** The log's database as its parts see it: a pool whose schema is set up when it is first reached. */
import type { Topic } from '@millrace/events';
import { runMigrations, type Sql, type TransactionSql } from '@millrace/postgres';
import { logMigrations, logSchema } from './log-schema.ts';

export class LogDatabase {
  readonly #sql: Sql;
  readonly #known = new Set<string>();
  readonly #entering = new Set<string>();
  #ready: Promise<unknown> | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The pool, with the log's tables in place. Throws while the server is away; the next call tries again. */
  async sql(): Promise<Sql> {
    this.#ready ??= runMigrations({ sql: this.#sql, schema: logSchema, files: logMigrations });
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
    return this.#sql;
  }

  /** Enters topics that this process has not used yet. Throws when one has another number of partitions in the log. */
  async ensureTopics(topics: readonly Topic[]): Promise<void> {
    const fresh = [...new Set(topics)].filter((topic) => !this.#known.has(topic.name));
    if (fresh.length === 0) return;
    await enterTopics(await this.sql(), fresh);
    for (const topic of fresh) this.#known.add(topic.name);
  }

  /**
   * The same inside the caller's transaction. That may still roll back, so topics are entered outside of it, too, once: as long as
   * they are not known, each publish locks their rows, and all who publish wait for each other's commits. The tables are set up
   * first: the very first publish of a new database may well be one that joins a transaction.
   */
  async ensureTopicsIn(tx: TransactionSql, topics: readonly Topic[]): Promise<void> {
    await this.sql();
    const fresh = topics.filter((topic) => !this.#known.has(topic.name));
    if (fresh.length === 0) return;
    this.#enterBeside(fresh);
    await enterTopics(tx, fresh);
  }

  /** Nobody waits for it: it may have to wait itself until the transaction that entered them, too, has ended. */
  #enterBeside(topics: readonly Topic[]): void {
    const fresh = topics.filter((topic) => !this.#entering.has(topic.name));
    if (fresh.length === 0) return;
    for (const topic of fresh) this.#entering.add(topic.name);
    const left = () => {
      for (const topic of fresh) this.#entering.delete(topic.name);
    };
    this.ensureTopics(fresh).then(left, left); // on a failure the next publish tries again
  }
}

async function enterTopics(sql: Sql | TransactionSql, topics: readonly Topic[]): Promise<void> {
  // Sorted, so that two services entering the same topics do not wait for each other in a circle.
  for (const topic of [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const retention = Number.isFinite(topic.retentionMs) ? BigInt(Math.round(topic.retentionMs)) : null;
    const [row] = await sql`
      INSERT INTO eventlog.topics (name, kind, partitions, retention_ms)
      VALUES (${topic.name}, ${topic.kind}, ${topic.partitions}, ${retention})
      ON CONFLICT (name) DO UPDATE SET retention_ms = EXCLUDED.retention_ms
      RETURNING kind, partitions`;
    if (row?.['partitions'] !== topic.partitions || row['kind'] !== topic.kind) {
      throw new Error(
        `topic ${topic.name} is in the log as ${String(row?.['kind'])} with ${String(row?.['partitions'])} partitions, ` +
          `expected ${topic.kind} with ${topic.partitions}: a changed topic needs a new version in its name`,
      );
    }
    await sql`
      INSERT INTO eventlog.partitions (topic, partition)
      SELECT ${topic.name}, generate_series(0, ${topic.partitions - 1}::int)
      ON CONFLICT DO NOTHING`;
  }
}
