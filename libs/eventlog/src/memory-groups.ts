import type { Claim, CommitPosition, GroupStore, GroupView, Membership, TopicPartition } from './log-store.ts';

interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  owner: string | undefined;
  generation: number;
  committed: bigint | undefined;
  metadata: string;
}

interface GroupState {
  readonly members: Map<string, readonly string[]>;
  readonly partitions: Map<string, PartitionState>;
}

/** Groups of the in-memory store: nobody dies alone here, so there is no lease, only `abandon` for tests. */
export class MemoryGroups implements GroupStore {
  readonly heartbeatMs = undefined;
  readonly commitIntervalMs = 0;
  readonly #groups = new Map<string, GroupState>();
  readonly #listeners = new Set<(group: string) => void>();

  async sync(members: readonly Membership[]): Promise<readonly GroupView[]> {
    for (const { group, member, topics } of members) {
      const state = this.#group(group);
      for (const topic of topics) {
        for (let partition = 0; partition < topic.partitions; partition++) {
          const id = `${topic.name}/${partition}`;
          if (state.partitions.has(id)) continue;
          state.partitions.set(id, {
            ...{ topic: topic.name, partition, owner: undefined },
            ...{ generation: 0, committed: undefined, metadata: '' },
          });
        }
      }
      if (state.members.has(member)) continue;
      state.members.set(
        member,
        topics.map((topic) => topic.name),
      );
      this.#changed(group);
    }
    return [...new Set(members.map((m) => m.group))].map((group) => {
      const state = this.#group(group);
      return {
        group,
        members: [...state.members].map(([member, topics]) => ({ member, topics })),
        partitions: [...state.partitions.values()],
      };
    });
  }

  async claim(group: string, member: string, wanted: readonly TopicPartition[]): Promise<readonly Claim[]> {
    const free = this.#states(group, wanted).filter(({ owner }) => owner === undefined || owner === member);
    return free.map((state) => {
      state.owner = member;
      state.generation++;
      return { ...state };
    });
  }

  async commit(group: string, member: string, positions: readonly CommitPosition[]) {
    return positions.filter((position) => {
      const state = this.#states(group, [position])[0];
      if (state?.owner !== member || state.generation !== position.generation) return true;
      state.committed = position.offset;
      state.metadata = position.metadata;
      return false;
    });
  }

  async release(group: string, member: string, partitions: readonly TopicPartition[]): Promise<void> {
    for (const state of this.#states(group, partitions)) if (state.owner === member) state.owner = undefined;
    this.#changed(group);
  }

  async leave(group: string, member: string): Promise<void> {
    this.#drop(group, member);
  }

  onChange(listener: (group: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a lapsed lease does elsewhere: every group forgets the member without a commit. */
  abandon(member: string): void {
    for (const group of this.#groups.keys()) this.#drop(group, member);
  }

  #drop(group: string, member: string): void {
    const state = this.#group(group);
    state.members.delete(member);
    for (const partition of state.partitions.values()) if (partition.owner === member) partition.owner = undefined;
    this.#changed(group);
  }

  #group(name: string): GroupState {
    let state = this.#groups.get(name);
    if (state === undefined) {
      state = { members: new Map(), partitions: new Map() };
      this.#groups.set(name, state);
    }
    return state;
  }

  #states(group: string, partitions: readonly TopicPartition[]): PartitionState[] {
    const state = this.#group(group);
    return partitions.flatMap((p) => state.partitions.get(`${p.topic}/${p.partition}`) ?? []);
  }

  #changed(group: string): void {
    for (const listener of this.#listeners) listener(group);
  }
}
