import type { Sql } from '@millrace/postgres';
import type { Claim, CommitPosition, GroupStore, GroupView, Membership, TopicPartition } from '../log-store.ts';
import type { LogDatabase } from './log-database.ts';

export interface PostgresGroupsOptions {
  /** A member that was not heard of for this long loses its partitions, ms. */
  readonly leaseMs: number;
  readonly commitIntervalMs: number;
  /** Tell members in other processes of changes. */
  readonly notify: boolean;
}

export const groupsChannel = 'millrace_groups';

export class PostgresGroups implements GroupStore {
  readonly heartbeatMs: number;
  readonly commitIntervalMs: number;
  readonly #database: LogDatabase;
  readonly #options: PostgresGroupsOptions;
  readonly #entered = new Set<string>();
  readonly #listeners = new Set<(group: string) => void>();

  constructor(database: LogDatabase, options: PostgresGroupsOptions) {
    this.#database = database;
    this.#options = options;
    this.heartbeatMs = options.leaseMs / 3;
    this.commitIntervalMs = options.commitIntervalMs;
  }

  async sync(members: readonly Membership[]): Promise<readonly GroupView[]> {
    const sql = await this.#database.sql();
    const fresh = members.filter(({ member }) => !this.#entered.has(member));
    for (const membership of fresh) await this.#enter(sql, membership);
    const groups = [...new Set(members.map((one) => one.group))];
    const [, , freed, alive, partitions] = await sql.begin((tx) =>
      Promise.all([
        tx`UPDATE eventlog.group_members m SET seen_at = now()
           FROM unnest(${members.map((m) => m.group)}::text[], ${members.map((m) => m.member)}::text[]) AS given (group_name, member)
           WHERE m.group_name = given.group_name AND m.member = given.member`,
        tx`DELETE FROM eventlog.group_members
           WHERE group_name = ANY(${groups}::text[]) AND seen_at < now() - make_interval(secs => ${this.#options.leaseMs / 1000})`,
        tx`UPDATE eventlog.group_partitions p SET owner = NULL
           WHERE p.group_name = ANY(${groups}::text[]) AND p.owner IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM eventlog.group_members m WHERE m.group_name = p.group_name AND m.member = p.owner)`,
        tx`SELECT group_name, member, topics FROM eventlog.group_members WHERE group_name = ANY(${groups}::text[])`,
        tx`SELECT group_name, topic, partition, owner FROM eventlog.group_partitions
           WHERE group_name = ANY(${groups}::text[]) ORDER BY topic, partition`,
      ]),
    );
    // A member that the others have dropped (this process was paused) has to enter anew.
    const known = new Set(alive.map((row) => String(row['member'])));
    for (const { member } of members) if (!known.has(member)) this.#entered.delete(member);
    if (fresh.length > 0 || freed.count > 0) await this.#changed(sql, groups);
    return groups.map((group) => ({
      group,
      members: alive
        .filter((row) => row['group_name'] === group)
        .map((row) => ({ member: String(row['member']), topics: row['topics'] as string[] })),
      partitions: partitions
        .filter((row) => row['group_name'] === group)
        .map((row) => ({
          ...{ topic: String(row['topic']), partition: Number(row['partition']) },
          owner: (row['owner'] as string | null) ?? undefined,
        })),
    }));
  }

  async claim(group: string, member: string, wanted: readonly TopicPartition[]): Promise<readonly Claim[]> {
    const sql = await this.#database.sql();
    const rows = await sql`
      UPDATE eventlog.group_partitions p SET owner = ${member}, generation = generation + 1
      FROM unnest(${wanted.map((w) => w.topic)}::text[], ${wanted.map((w) => w.partition)}::int[]) AS given (topic, partition)
      WHERE p.group_name = ${group} AND p.topic = given.topic AND p.partition = given.partition
        AND (p.owner IS NULL OR p.owner = ${member})
      RETURNING p.topic, p.partition, p.generation, p.committed, p.metadata`;
    return rows.map((row) => ({
      ...{ topic: String(row['topic']), partition: Number(row['partition']), generation: Number(row['generation']) },
      committed: (row['committed'] as bigint | null) ?? undefined,
      metadata: String(row['metadata']),
    }));
  }

  async commit(
    group: string,
    member: string,
    positions: readonly CommitPosition[],
  ): Promise<readonly TopicPartition[]> {
    const sql = await this.#database.sql();
    const rows = await sql`
      UPDATE eventlog.group_partitions p SET committed = given.committed, metadata = given.metadata
      FROM unnest(${positions.map((p) => p.topic)}::text[], ${positions.map((p) => p.partition)}::int[],
                  ${positions.map((p) => p.generation)}::int[], ${positions.map((p) => String(p.offset))}::int8[],
                  ${positions.map((p) => p.metadata)}::text[]) AS given (topic, partition, generation, committed, metadata)
      WHERE p.group_name = ${group} AND p.topic = given.topic AND p.partition = given.partition
        AND p.owner = ${member} AND p.generation = given.generation
      RETURNING p.topic, p.partition`;
    const written = new Set(rows.map((row) => `${String(row['topic'])}/${String(row['partition'])}`));
    return positions.filter(({ topic, partition }) => !written.has(`${topic}/${partition}`));
  }

  async release(group: string, member: string, partitions: readonly TopicPartition[]): Promise<void> {
    const sql = await this.#database.sql();
    await sql`
      UPDATE eventlog.group_partitions p SET owner = NULL
      FROM unnest(${partitions.map((p) => p.topic)}::text[], ${partitions.map((p) => p.partition)}::int[]) AS given (topic, partition)
      WHERE p.group_name = ${group} AND p.topic = given.topic AND p.partition = given.partition AND p.owner = ${member}`;
    await this.#changed(sql, [group]);
  }

  async leave(group: string, member: string): Promise<void> {
    const sql = await this.#database.sql();
    this.#entered.delete(member);
    await sql.begin((tx) =>
      Promise.all([
        tx`DELETE FROM eventlog.group_members WHERE group_name = ${group} AND member = ${member}`,
        tx`UPDATE eventlog.group_partitions SET owner = NULL WHERE group_name = ${group} AND owner = ${member}`,
      ]),
    );
    await this.#changed(sql, [group]);
  }

  onChange(listener: (group: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another process changed `group`. */
  heard(group: string): void {
    for (const listener of this.#listeners) listener(group);
  }

  async #enter(sql: Sql, { group, member, topics }: Membership): Promise<void> {
    await this.#database.ensureTopics(topics);
    const names = topics.map((topic) => topic.name);
    await sql`
      INSERT INTO eventlog.group_partitions (group_name, topic, partition)
      SELECT ${group}, topic, partition FROM eventlog.partitions WHERE topic = ANY(${names}::text[])
      ON CONFLICT DO NOTHING`;
    await sql`
      INSERT INTO eventlog.group_members (group_name, member, topics, seen_at) VALUES (${group}, ${member}, ${names}::text[], now())
      ON CONFLICT (group_name, member) DO UPDATE SET seen_at = now()`;
    this.#entered.add(member);
  }

  async #changed(sql: Sql, groups: readonly string[]): Promise<void> {
    for (const group of groups) {
      if (this.#options.notify) await sql`SELECT pg_notify(${groupsChannel}, ${group})`;
      else this.heard(group);
    }
  }
}
