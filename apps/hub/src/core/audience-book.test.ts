import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudienceBook } from './audience-book.ts';

const count = (stream_id: string, viewers: number, instance_id = 'd1', incarnation = 1) => ({
  ...{ stream_id, instance_id, incarnation, viewers },
});
/** The log of signs of life flows: our own beat comes every 2 s. */
function flow(book: AudienceBook, fromMs: number, toMs: number, others: readonly string[] = []): void {
  for (let at = fromMs; at <= toMs; at += 2_000) {
    for (const instance_id of ['hub-1', ...others]) book.instanceSeen({ instance_id, incarnation: 1 }, at, true);
  }
}

describe('the audience of a stream', () => {
  it('is the sum over the instances', () => {
    const book = new AudienceBook();
    book.counted(count('a', 3, 'd1'), true);
    book.counted(count('a', 4, 'd2'), true);
    book.counted(count('a', 5, 'd2'), true);
    expect(book.viewers('a')).toBe(8);
    expect([...book.takeChanged()]).toEqual(['a']);
  });

  it('loses the viewers of an instance that is silent for 6 s, and of no other', () => {
    const book = new AudienceBook();
    flow(book, 0, 0, ['d1', 'd2']);
    book.counted(count('a', 3, 'd1'), true);
    book.counted(count('a', 4, 'd2'), true);
    flow(book, 2_000, 4_000, ['d2']);
    book.expire();
    expect(book.viewers('a')).toBe(7);
    flow(book, 6_000, 6_000, ['d2']);
    expect(book.expire()).toBe(1);
    expect(book.viewers('a')).toBe(4);
  });

  it('stays while the log itself is away, in which everybody is silent', () => {
    const book = new AudienceBook();
    flow(book, 0, 0, ['d1']);
    book.counted(count('a', 3), true);
    book.expire();
    // An hour later the log is back; our own beat happens to be read first.
    book.instanceSeen({ instance_id: 'hub-1', incarnation: 1 }, 3_600_000, true);
    expect(book.expire()).toBe(0);
    book.instanceSeen({ instance_id: 'd1', incarnation: 1 }, 3_600_001, true);
    expect(book.viewers('a')).toBe(3);
  });

  it('forgets what an earlier incarnation counted, and takes no count of it any more', () => {
    const book = new AudienceBook();
    book.counted(count('a', 3, 'd1', 1), true);
    book.instanceSeen({ instance_id: 'd1', incarnation: 2 }, 0, true);
    expect(book.viewers('a')).toBe(0);
    book.counted(count('a', 9, 'd1', 1), true);
    expect(book.viewers('a')).toBe(0);
    book.counted(count('a', 2, 'd1', 2), true);
    expect(book.viewers('a')).toBe(2);
  });

  it('takes what the log kept of an instance into account once the instance is heard of', () => {
    const book = new AudienceBook();
    book.instanceSeen({ instance_id: 'd1', incarnation: 1 }, 0, false);
    book.counted(count('a', 3), false);
    expect(book.viewers('a')).toBe(0);
    book.instanceSeen({ instance_id: 'd1', incarnation: 1 }, 10, true);
    expect(book.viewers('a')).toBe(3);
  });

  it('is what a plain sum over living instances gives, whatever happens', () => {
    const act = fc.record({
      kind: fc.constantFrom('count', 'beat', 'gone'),
      instance: fc.constantFrom('d1', 'd2', 'd3'),
      incarnation: fc.integer({ min: 1, max: 3 }),
      stream: fc.constantFrom('a', 'b'),
      viewers: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const book = new AudienceBook();
        const model = new Map<string, { incarnation: number; viewers: Map<string, number> }>();
        for (const { kind, instance, incarnation, stream, viewers } of acts) {
          if (kind === 'gone') {
            book.instanceRemoved(instance);
            model.delete(instance);
            continue;
          }
          if (kind === 'beat') book.instanceSeen({ instance_id: instance, incarnation }, 0, true);
          else book.counted(count(stream, viewers, instance, incarnation), true);
          let known = model.get(instance);
          if (known === undefined || known.incarnation < incarnation) known = { incarnation, viewers: new Map() };
          model.set(instance, known);
          if (kind === 'count' && known.incarnation === incarnation) known.viewers.set(stream, viewers);
        }
        for (const stream of ['a', 'b']) {
          const sum = [...model.values()].reduce((all, { viewers }) => all + (viewers.get(stream) ?? 0), 0);
          expect(book.viewers(stream)).toBe(sum);
        }
      }),
    );
  });
});
