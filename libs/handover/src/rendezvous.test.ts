import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { originName, rankOrigins } from './rendezvous.ts';

const origins = fc.uniqueArray(fc.webUrl().map(originName), { minLength: 1, maxLength: 8 });
const streamId = fc.string({ minLength: 1, maxLength: 40 });

describe('the choice of an origin', () => {
  it('is the same for everybody, whatever the order of the list', () => {
    const shuffled = origins.chain((names) =>
      fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
    );
    fc.assert(
      fc.property(shuffled, streamId, ([names, others], stream) => {
        const ranked = rankOrigins(stream, names);
        expect(ranked).toEqual(rankOrigins(stream, others));
        expect([...ranked].sort()).toEqual([...names].sort());
      }),
    );
  });

  it('moves only the streams of an origin that goes, each to its next choice', () => {
    fc.assert(
      fc.property(origins, streamId, fc.nat(), (names, stream, at) => {
        const gone = names[at % names.length];
        const before = rankOrigins(stream, names);
        expect(
          rankOrigins(
            stream,
            names.filter((name) => name !== gone),
          ),
        ).toEqual(before.filter((name) => name !== gone));
      }),
    );
  });

  it('spreads streams evenly over every rank', () => {
    const names = Array.from({ length: 5 }, (_, i) => `http://origin-${i}:8082`);
    const streams = 10_000;
    const counts = names.map(() => new Map<string, number>());
    for (let i = 0; i < streams; i++) {
      for (const [rank, name] of rankOrigins(`str_${i}`, names).entries()) {
        counts[rank]?.set(name, (counts[rank]?.get(name) ?? 0) + 1);
      }
    }
    // 2,000 each; four standard deviations are 160
    for (const rank of counts)
      for (const name of names) expect(Math.abs((rank.get(name) ?? 0) - 2_000)).toBeLessThan(160);
  });

  it('knows one listener under all spellings of its URL', () => {
    expect(originName('http://Origin-1:8082/')).toBe(originName('http://origin-1:8082'));
    expect(originName('https://origin-1:443/x')).toBe('https://origin-1');
    expect(rankOrigins('str_1', ['a', 'b', 'a'])).toHaveLength(2);
  });
});
