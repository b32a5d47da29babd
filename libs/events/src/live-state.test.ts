import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldLiveFact, type LiveRecord } from './live-state.ts';
import type { LiveStreamFact } from './live-topics.ts';

type Placed = { fact: LiveStreamFact; offset: bigint };

function fact(type: LiveStreamFact['type'], epoch: number, at_ms: number, publish_id = 'pub_1'): LiveStreamFact {
  const common = { stream_id: 'str_1', owner_id: 'own_1', epoch, publish_id, instance_id: 'ingest-1', at_ms };
  switch (type) {
    case 'StreamInterrupted':
      return { ...common, type, reason: 'connection-lost', window_ms: 30_000 };
    case 'StreamEnded':
      return { ...common, type, reason: 'encoder-stopped' };
    default:
      return { ...common, type, key_id: 'key_1' };
  }
}

/** A real history: publish sessions one after another, each with one epoch or more, facts at rising offsets and times. */
const history = fc
  .array(
    fc.record({
      epochs: fc.array(
        fc.array(fc.constantFrom('StreamInterrupted' as const, 'StreamResumed' as const), { maxLength: 3 }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      ends: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((sessions) => {
    const placed: Placed[] = [];
    let epoch = 100;
    const add = (type: LiveStreamFact['type'], publish: string) => {
      const n = placed.length;
      placed.push({ fact: fact(type, epoch, 1_000 + n * 10, publish), offset: BigInt(n * 3) });
    };
    sessions.forEach((session, i) => {
      session.epochs.forEach((steps, e) => {
        epoch++;
        add(e === 0 ? 'StreamPublished' : 'StreamResumed', `pub_${i}`);
        for (const step of steps) add(step, `pub_${i}`);
      });
      if (session.ends) add('StreamEnded', `pub_${i}`);
    });
    return placed;
  });

function foldAll(facts: readonly Placed[]): LiveRecord | undefined {
  return facts.reduce<LiveRecord | undefined>(
    (state, { fact, offset }) => foldLiveFact(state, fact, offset),
    undefined,
  );
}

describe('the fold of live facts', () => {
  it('converges to the same state under any redelivery and reordering', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), fc.nat(3), (facts, picks, copies) => {
        const inOrder = foldAll(facts);
        const bag = Array.from({ length: copies + 1 }, () => facts).flat();
        const shuffled: Placed[] = [];
        while (bag.length > 0) {
          const next = bag.splice((picks.next().value as number) % bag.length, 1)[0];
          if (next !== undefined) shuffled.push(next);
        }
        expect(foldAll(shuffled)).toEqual(inOrder);
      }),
      { numRuns: 300 },
    );
  });

  it('shows what the last fact of the highest epoch says', () => {
    fc.assert(
      fc.property(history, (facts) => {
        const last = facts.at(-1);
        const state = foldAll(facts);
        const expected = {
          StreamPublished: 'live',
          StreamResumed: 'live',
          StreamInterrupted: 'interrupted',
          StreamEnded: 'idle',
        };
        expect(state?.state).toBe(expected[last?.fact.type ?? 'StreamEnded']);
        expect(state?.epoch).toBe(last?.fact.epoch);
      }),
    );
  });

  it('an ended epoch does not come back, a higher one does', () => {
    const ended = foldLiveFact(undefined, fact('StreamEnded', 5, 100), 10n);
    expect(foldLiveFact(ended, fact('StreamResumed', 5, 200), 20n)).toBe(ended);
    expect(foldLiveFact(ended, fact('StreamPublished', 6, 200, 'pub_2'), 20n).state).toBe('live');
  });

  it('a session keeps its start over an interruption and a new epoch', () => {
    let state = foldLiveFact(undefined, fact('StreamPublished', 5, 100), 1n);
    state = foldLiveFact(state, fact('StreamInterrupted', 5, 200), 2n);
    state = foldLiveFact(state, fact('StreamResumed', 6, 300), 3n);
    expect(state).toMatchObject({ state: 'live', epoch: 6, liveSinceMs: 100, changedAtMs: 300 });
  });

  it('a fact that changes nothing gives the very same state', () => {
    const state = foldLiveFact(undefined, fact('StreamPublished', 5, 100), 1n);
    expect(foldLiveFact(state, fact('StreamPublished', 5, 100), 1n)).toBe(state);
    expect(foldLiveFact(state, fact('StreamEnded', 4, 90, 'pub_0'), 0n)).toBe(state);
  });

  it('comes to the same state in any order and with any repetition, whatever facts were said', () => {
    const kinds = ['StreamPublished', 'StreamInterrupted', 'StreamResumed', 'StreamEnded'] as const;
    const said = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(said, fc.infiniteStream(fc.nat()), (given, picks) => {
        const placed = given.map(([type, epoch], at) => ({
          fact: fact(type, epoch, at, `pub_${epoch}`),
          offset: BigInt(at),
        }));
        const bag = [...placed, ...placed];
        const shuffled: Placed[] = [];
        while (bag.length > 0) shuffled.push(...bag.splice((picks.next().value as number) % bag.length, 1));
        expect({ ...foldAll(shuffled), liveSinceMs: 0 }).toEqual({ ...foldAll(placed), liveSinceMs: 0 });
      }),
    );
  });

  it('an older epoch, and an epoch that has ended, change nothing', () => {
    const ended = foldLiveFact(undefined, fact('StreamEnded', 5, 1_000, 'pub_5'), 9n);
    expect(foldLiveFact(ended, fact('StreamResumed', 5, 1_000, 'pub_5'), 10n)).toBe(ended);
    expect(foldLiveFact(ended, fact('StreamPublished', 4, 1_000, 'pub_4'), 11n)).toBe(ended);
    expect(foldLiveFact(ended, fact('StreamPublished', 6, 1_000, 'pub_6'), 12n).state).toBe('live');
  });
});
