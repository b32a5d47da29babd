/**
 * How a group's partitions spread over its members without a coordinator: each member knows its fair share, lets go of
 * what it holds beyond it and takes what is free below it. Claims are atomic in the store, so members whose views differ
 * for a moment are slow to agree but never own the same partition.
 */
import type { GroupView, TopicPartition } from './log-store.ts';

export interface Rebalance {
  readonly release: readonly TopicPartition[];
  readonly claim: readonly TopicPartition[];
}

/** What `member` should do, given its group's view and the partitions it holds itself. */
export function rebalance(view: GroupView, member: string, held: readonly TopicPartition[]): Rebalance {
  const release: TopicPartition[] = [];
  const claim: TopicPartition[] = [];
  const topics = [...new Set(view.partitions.map((p) => p.topic))].sort();
  topics.forEach((topic, topicIndex) => {
    const readers = view.members
      .filter((m) => m.topics.includes(topic))
      .map((m) => m.member)
      .sort();
    const partitions = view.partitions.filter((p) => p.topic === topic);
    const mine = held.filter((p) => p.topic === topic);
    const quota = share(partitions.length, readers, member, topicIndex);
    release.push(...mine.slice(quota));
    // Its own without holding it: the answer to a claim was lost on the way.
    const free = partitions.filter(
      (p) => (p.owner === undefined || p.owner === member) && !mine.some((m) => m.partition === p.partition),
    );
    claim.push(...free.slice(0, Math.max(0, quota - mine.length)));
  });
  const pick = ({ topic, partition }: TopicPartition) => ({ topic, partition });
  return { release: release.map(pick), claim: claim.map(pick) };
}

/** Partitions that fall to `member`: an even share, the remainder going round so that it differs from topic to topic. */
function share(partitions: number, readers: readonly string[], member: string, turn: number): number {
  const index = readers.indexOf(member);
  if (index < 0) return 0;
  const place = (index + turn) % readers.length;
  return Math.floor(partitions / readers.length) + (place < partitions % readers.length ? 1 : 0);
}
