/**
 * What an adapter without brokers has to give; groups, followers and tables are built on it once. (Kafka has its own
 * groups and implements the EventLog port directly, with the same batch delivery.)
 */
import type { Topic } from '@millrace/events';
import type { EncodedRecord, StoredRecord } from './record-codec.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A piece of one partition. */
export interface PartitionSlice {
  readonly partition: number;
  /** In offset order; offsets may have holes where compaction or retention removed records. */
  readonly records: readonly StoredRecord[];
  /** Where to read on. */
  readonly nextOffset: bigint;
}

export interface ReadOptions {
  /** Only the last value of each key (state topics): what a table needs to begin. */
  readonly latestOnly?: boolean;
}

export interface PartitionRange {
  /** Offset of the oldest record that is kept. */
  readonly start: bigint;
  /** Offset that the next record will have. */
  readonly end: bigint;
}

export interface LogStore extends AsyncDisposable {
  /** Durable when it resolves; records of one call, and calls in order of calling, keep their order. `topics`: of the records. */
  append(topics: readonly Topic[], records: readonly EncodedRecord[]): Promise<void>;
  /** Reads from each given partition, from its offset on, at most `maxRecords` a partition (never less than one stored batch). */
  read(
    topic: Topic,
    from: ReadonlyMap<number, bigint>,
    maxRecords: number,
    options?: ReadOptions,
  ): Promise<readonly PartitionSlice[]>;
  /** See `EventLog.identity`; rejects when the store cannot be reached now. */
  identity(): Promise<string>;
  /** The range of every partition of a topic, by partition; creates the topic where it is new. */
  ranges(topic: Topic): Promise<readonly PartitionRange[]>;
  /** Calls back when a partition grew. A hint that may come late (within the store's poll), never not at all. */
  onAdvance(listener: (topic: string, partition: number, end: bigint) => void): () => void;
  readonly groups: GroupStore;
}

/** A member as its group sees it. */
export interface Membership {
  readonly group: string;
  readonly member: string;
  readonly topics: readonly Topic[];
}

export interface GroupView {
  readonly group: string;
  readonly members: readonly { readonly member: string; readonly topics: readonly string[] }[];
  readonly partitions: readonly (TopicPartition & { readonly owner: string | undefined })[];
}

export interface Claim extends TopicPartition {
  /** Fence: rises with every claim; a commit of an older one is refused. */
  readonly generation: number;
  /** Next offset the group wants; undefined: never committed. */
  readonly committed: bigint | undefined;
  readonly metadata: string;
}

export interface CommitPosition extends TopicPartition {
  readonly generation: number;
  readonly offset: bigint;
  readonly metadata: string;
}

/** Who reads what. A member that is not synced for the lease is dropped and its partitions are free. */
export interface GroupStore {
  /** How often members must be synced, ms; undefined: never (nobody can die alone). */
  readonly heartbeatMs: number | undefined;
  /** Pause between two commits of a partition, ms. */
  readonly commitIntervalMs: number;
  /** Enters or renews members, drops silent ones, and shows each group. */
  sync(members: readonly Membership[]): Promise<readonly GroupView[]>;
  /** Takes those of `wanted` that are free, or the member's own already. */
  claim(group: string, member: string, wanted: readonly TopicPartition[]): Promise<readonly Claim[]>;
  /** Writes positions; returns those that were refused because another member owns the partition now. */
  commit(group: string, member: string, positions: readonly CommitPosition[]): Promise<readonly TopicPartition[]>;
  release(group: string, member: string, partitions: readonly TopicPartition[]): Promise<void>;
  /** Leaves the group and frees what the member holds. */
  leave(group: string, member: string): Promise<void>;
  /** A hint that members or owners of a group changed. */
  onChange(listener: (group: string) => void): () => void;
}
