import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveFact } from '../testing.ts';
import { foldLiveFact, type LiveRecord } from './live-record.ts';

const kinds = ['StreamPublished', 'StreamInterrupted', 'StreamResumed', 'StreamEnded'] as const;
const facts = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 3 })), {
  minLength: 1,
  maxLength: 12,
});

describe('the fold of live facts', () => {
  it('comes to the same state in any order and with any repetition', () => {
    fc.assert(
      fc.property(facts, fc.infiniteStream(fc.nat()), (given, picks) => {
        const placed = given.map(([type, epoch], at) => ({
          fact: liveFact('str_a', type, epoch, at),
          offset: BigInt(at),
        }));
        const fold = (all: typeof placed) =>
          all.reduce<LiveRecord | undefined>((state, { fact, offset }) => foldLiveFact(state, fact, offset), undefined);
        const bag = [...placed, ...placed];
        const shuffled: typeof placed = [];
        while (bag.length > 0) shuffled.push(...bag.splice((picks.next().value as number) % bag.length, 1));
        expect({ ...fold(shuffled), liveSinceMs: 0 }).toEqual({ ...fold(placed), liveSinceMs: 0 });
      }),
    );
  });

  it('an older epoch, and an epoch that has ended, change nothing', () => {
    const ended = foldLiveFact(undefined, liveFact('str_a', 'StreamEnded', 5), 9n);
    expect(foldLiveFact(ended, liveFact('str_a', 'StreamResumed', 5), 10n)).toBe(ended);
    expect(foldLiveFact(ended, liveFact('str_a', 'StreamPublished', 4), 11n)).toBe(ended);
    expect(foldLiveFact(ended, liveFact('str_a', 'StreamPublished', 6), 12n).state).toBe('live');
  });
});
