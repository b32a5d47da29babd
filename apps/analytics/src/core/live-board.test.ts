import type { AudienceCount, LiveStreamFact } from '@millrace/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveBoard } from './live-board.ts';

const common = { stream_id: 's', owner_id: 'o', instance_id: 'ingest', key_id: 'k' };
const published = (epoch: number, at_ms: number): LiveStreamFact => ({
  ...{ ...common, epoch, at_ms, publish_id: `p${epoch}`, type: 'StreamPublished' },
});
const ended = (epoch: number, at_ms: number): LiveStreamFact => ({
  ...{ ...common, epoch, at_ms, publish_id: `p${epoch}`, type: 'StreamEnded', reason: 'encoder-stopped' },
});
const count = (instance_id: string, viewers: number, incarnation = 1): AudienceCount => ({
  ...{ type: 'AudienceCounted', stream_id: 's', instance_id, incarnation, viewers, at_ms: 0 },
});
const seen = (instance_id: string, incarnation = 1, at_ms = 50_000) => ({
  ...{ instance_id, incarnation, service: 'delivery', at_ms },
});

describe('the live board', () => {
  it('forgets the viewers of an instance that is silent for 6 s', () => {
    const board = new LiveBoard();
    board.instanceSeen(seen('a'), 0);
    board.instanceSeen(seen('b'), 4_000);
    board.counted('s/a', count('a', 3), 0);
    board.counted('s/b', count('b', 2), 0);
    expect(board.viewers('s', 6_000)).toBe(5);
    expect(board.viewers('s', 6_001)).toBe(2);
    board.instanceSeen(seen('a'), 7_000);
    expect(board.viewers('s', 7_000)).toBe(5);
  });

  it('does not count for an earlier incarnation, nor for an instance that was silent before this one began', () => {
    const board = new LiveBoard();
    board.counted('s/a', count('a', 3, 1), 0);
    expect(board.viewers('s', 0)).toBe(0);
    board.instanceSeen(seen('a', 1), 0, 7_000);
    expect(board.viewers('s', 0)).toBe(0);
    board.instanceSeen(seen('a', 1), 0);
    board.instanceSeen(seen('a', 2), 0);
    expect(board.viewers('s', 0)).toBe(0);
    expect([...board.instances(0)]).toEqual([['a', 48_000]]);
  });

  it('keeps an ended epoch ended and takes a higher one, whatever comes late', () => {
    const facts = [published(1, 10), ended(1, 20), published(2, 30)];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...facts), { maxLength: 8 }), (late) => {
        const board = new LiveBoard();
        [...late, published(2, 30)].forEach((fact, at) => board.streamTold(fact, BigInt(at)));
        expect(board.stream('s')).toMatchObject({ state: 'live', liveSinceMs: 30, publishId: 'p2' });
        board.streamTold(ended(2, 40), 100n);
        board.streamTold(published(2, 30), 101n);
        expect(board.stream('s')?.state).toBe('idle');
        expect([...board.live()]).toEqual([]);
      }),
    );
  });

  it('holds the peak of the present broadcast only', () => {
    const board = new LiveBoard();
    board.streamTold(published(1, 10), 1n);
    board.instanceSeen(seen('a'), 0);
    board.counted('s/a', count('a', 7), 0);
    board.counted('s/a', count('a', 2), 1);
    expect(board.peakOf('s', 1)).toBe(7);
    board.streamTold(ended(1, 20), 2n);
    board.streamTold(published(2, 30), 3n);
    expect(board.peakOf('s', 2)).toBe(2);
  });
});
