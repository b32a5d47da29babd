import fc from 'fast-check';
import { expect, it } from 'vitest';
import { murmur2, partitionOf } from './partitioner.ts';

it('keys land where the default partitioner of Kafka puts them', () => {
  // The expected hashes of Kafka's own UtilsTest.testMurmur2.
  const known: readonly (readonly [string, number])[] = [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ];
  for (const [key, hash] of known) expect(murmur2(new TextEncoder().encode(key))).toBe(hash);
});

it('any key has one partition, within the topic', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      expect(partition).toBe(partitionOf(key, partitions));
      expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
    }),
  );
});
