import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rebalance } from './assignment.ts';
import type { TopicPartition } from './log-store.ts';

const topicsOf = (partitions: number) =>
  ['a.v1', 'b.v1'].flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));

/** Lets the members act one after the other on the true state until none wants to. */
function settle(owners: Map<TopicPartition, string | undefined>, members: readonly string[]): number {
  for (let round = 0; round < 20; round++) {
    let moved = 0;
    for (const member of members) {
      const partitions = [...owners].map(([p, owner]) => ({
        ...p,
        owner: owner && members.includes(owner) ? owner : undefined,
      }));
      const held = [...owners].filter(([, owner]) => owner === member).map(([p]) => p);
      const view = { group: 'g', members: members.map((m) => ({ member: m, topics: ['a.v1', 'b.v1'] })), partitions };
      const { release, claim } = rebalance(view, member, held);
      const find = (p: TopicPartition) =>
        [...owners.keys()].find((k) => k.topic === p.topic && k.partition === p.partition);
      for (const p of release) owners.set(find(p) ?? p, undefined);
      for (const p of claim) owners.set(find(p) ?? p, member);
      moved += release.length + claim.length;
    }
    if (moved === 0) return round;
  }
  return Number.POSITIVE_INFINITY;
}

it('from any state members settle on an even share with every partition owned by one of them', () => {
  const states = fc.record({
    members: fc.uniqueArray(fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5'), { minLength: 1 }),
    partitions: fc.integer({ min: 1, max: 12 }),
    start: fc.array(fc.constantFrom('m1', 'm2', 'm3', 'gone', undefined), { minLength: 24, maxLength: 24 }),
  });
  fc.assert(
    fc.property(states, ({ members, partitions, start }) => {
      const owners = new Map(topicsOf(partitions).map((p, index) => [p as TopicPartition, start[index]]));
      expect(settle(owners, members)).toBeLessThan(6);
      for (const topic of ['a.v1', 'b.v1']) {
        const mine = (member: string) =>
          [...owners].filter(([p, owner]) => p.topic === topic && owner === member).length;
        const shares = members.map(mine);
        expect(shares.reduce((a, b) => a + b)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }
    }),
  );
});
