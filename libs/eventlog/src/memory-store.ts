import type { Topic } from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import type { LogStore, PartitionRange, PartitionSlice, ReadOptions } from './log-store.ts';
import { MemoryGroups } from './memory-groups.ts';
import type { EncodedRecord, StoredRecord } from './record-codec.ts';

type MemoryRecord = EncodedRecord & { readonly offset: bigint };

interface MemoryPartition {
  /** In offset order; holes where retention removed superseded records. */
  records: MemoryRecord[];
  start: bigint;
  end: bigint;
}

/** The log in memory: for unit tests and as the reference that the contract suite holds the real adapter against. */
export class MemoryStore implements LogStore {
  readonly groups = new MemoryGroups();
  readonly #identity = newId('evt', systemIdSource);
  readonly #topics = new Map<string, Map<number, MemoryPartition>>();
  readonly #listeners = new Set<(topic: string, partition: number, end: bigint) => void>();

  append(_topics: readonly Topic[], records: readonly EncodedRecord[]): Promise<void> {
    const grown = new Map<MemoryPartition, EncodedRecord>();
    for (const record of records) {
      const partition = this.#partition(record.topic, record.partition);
      partition.records.push({ ...record, offset: partition.end });
      partition.end++;
      grown.set(partition, record);
    }
    for (const [partition, { topic, partition: index }] of grown) {
      for (const listener of this.#listeners) listener(topic, index, partition.end);
    }
    return Promise.resolve();
  }

  async read(topic: Topic, from: ReadonlyMap<number, bigint>, maxRecords: number, options: ReadOptions = {}) {
    const slices: PartitionSlice[] = [];
    for (const [partition, offset] of from) {
      const { records, end } = this.#partition(topic.name, partition);
      const candidates = options.latestOnly ? latest(records) : records;
      const first = candidates.findIndex((record) => record.offset >= offset);
      const taken = first < 0 ? [] : candidates.slice(first, first + maxRecords);
      const last = taken.at(-1);
      const nextOffset = last && taken.length === maxRecords ? last.offset + 1n : end > offset ? end : offset;
      slices.push({ partition, records: taken.map(parsed), nextOffset });
    }
    return slices;
  }

  identity(): Promise<string> {
    return Promise.resolve(this.#identity);
  }

  async ranges(topic: Topic): Promise<readonly PartitionRange[]> {
    return Array.from({ length: topic.partitions }, (_, index) => {
      const { start, end } = this.#partition(topic.name, index);
      return { start, end };
    });
  }

  onAdvance(listener: (topic: string, partition: number, end: bigint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Drops what the topic no longer keeps at `nowMs`; a state topic keeps the last value of each key. */
  retain(topic: Topic, nowMs: number): void {
    for (let index = 0; index < topic.partitions; index++) {
      const partition = this.#partition(topic.name, index);
      const kept = topic.kind === 'state' ? latest(partition.records).filter(isValue) : partition.records;
      partition.records = kept.filter((record) => record.timeMs >= nowMs - topic.retentionMs);
      partition.start = partition.records[0]?.offset ?? partition.end;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }

  #partition(topic: string, index: number): MemoryPartition {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    let partition = partitions.get(index);
    if (partition === undefined) {
      partition = { records: [], start: 0n, end: 0n };
      partitions.set(index, partition);
    }
    return partition;
  }
}

function latest(records: readonly MemoryRecord[]): MemoryRecord[] {
  const last = new Map(records.map((record) => [record.key, record.offset]));
  return records.filter((record) => last.get(record.key) === record.offset);
}

function isValue(record: MemoryRecord): boolean {
  return record.value !== undefined;
}

/** Parsed anew for every reader, so that none can change what another sees. */
function parsed(record: MemoryRecord): StoredRecord {
  return { ...record, value: record.value === undefined ? undefined : JSON.parse(record.value) };
}
