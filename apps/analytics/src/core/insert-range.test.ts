import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredRange, insertToken, type OffsetRange, planRange, rangeMetadata } from './insert-range.ts';

const limits = { maxRecords: 4, lingerMs: 100 };

describe('a plan', () => {
  it('waits for company until the oldest record has waited the linger', () => {
    expect(planRange({ offsets: [5n], oldestMs: 40, end: 6n }, undefined, limits)).toEqual({ kind: 'wait', ms: 60 });
    const plan = planRange({ offsets: [5n, 7n], oldestMs: 100, end: 8n }, undefined, limits);
    expect(plan).toEqual({ kind: 'insert', range: { first: 5n, last: 7n }, records: 2 });
  });

  it('takes a full range at once, and not more', () => {
    const plan = planRange({ offsets: [1n, 2n, 3n, 9n, 10n], oldestMs: 0, end: 11n }, undefined, limits);
    expect(plan).toEqual({ kind: 'insert', range: { first: 1n, last: 9n }, records: 4 });
  });

  it('repeats a declared range whole: it waits for its end, even past the linger, and leaves out what is behind it', () => {
    const declared = { first: 1n, last: 3n };
    const short = { offsets: [1n, 2n], oldestMs: 1_000, end: 9n };
    expect(planRange(short, declared, limits).kind).toBe('wait');
    const enough = planRange({ offsets: [1n, 2n, 3n, 4n], oldestMs: 0, end: 9n }, declared, limits);
    expect(enough).toEqual({ kind: 'insert', range: declared, records: 3 });
  });

  it('of a declared range whose end was compacted away takes what the log still has', () => {
    const declared = { first: 1n, last: 3n };
    expect(planRange({ offsets: [1n, 2n], oldestMs: 0, end: 3n }, declared, limits)).toMatchObject({ records: 2 });
    expect(planRange({ offsets: [8n], oldestMs: 0, end: 9n }, declared, limits)).toMatchObject({
      range: declared,
      records: 0,
    });
  });
});

describe('the metadata of a commit', () => {
  it('gives back the range it was made of, and nothing for anything else', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 63n), fc.bigInt(0n, 10_000n), (first, length) => {
        const range = { first, last: first + length };
        expect(declaredRange(rangeMetadata(range))).toEqual(range);
      }),
    );
    for (const text of ['', '{"last":3}', 'insert:5-4', 'insert:-1-4', 'insert:1-'])
      expect(declaredRange(text)).toBeUndefined();
  });
});

/**
 * The sink's protocol against a model of the log (positions and metadata survive) and of ClickHouse (an insert may take effect
 * or not before a crash; tokens that took effect are known): whatever the batches and wherever the crashes, each record once.
 */
describe('any sequence of batches and crashes', () => {
  const crash = new Error('crash');
  type Step = { readonly batch: number; readonly crashAt: number };

  it('puts every record into the table exactly once', () => {
    const steps = fc.array(
      fc.record({ batch: fc.integer({ min: 1, max: 9 }), crashAt: fc.integer({ min: 0, max: 24 }) }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    const holes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, holes, fc.integer({ min: 1, max: 7 }), (plan, gaps, maxRecords) => {
        let offset = 0n;
        const log = gaps.map((gap) => (offset += BigInt(gap)));
        const { rows, duplicates } = run(log, plan, maxRecords);
        expect(duplicates).toBe(0);
        expect(rows).toEqual(log);
      }),
    );
  });

  it('would not without the declaration: the model sees duplicates', () => {
    const log = Array.from({ length: 20 }, (_, index) => BigInt(index));
    const plan = [
      { batch: 5, crashAt: 3 },
      { batch: 3, crashAt: 24 },
    ];
    expect(run(log, plan, 5, false).duplicates).toBeGreaterThan(0);
  });

  function run(log: readonly bigint[], plan: readonly Step[], maxRecords: number, declare = true) {
    let committed = { offset: log[0] ?? 0n, metadata: '' };
    const tokens = new Set<string>();
    const rows: bigint[] = [];
    let duplicates = 0;
    const end = (log.at(-1) ?? 0n) + 1n;
    // The last life does not crash, so that all is read in the end.
    for (const { batch, crashAt } of [...plan, { batch: 100, crashAt: -1 }]) {
      let fuel = crashAt;
      const step = () => {
        if (fuel === 0) throw crash;
        fuel--;
      };
      try {
        live(batch, step);
      } catch (error) {
        if (error !== crash) throw error;
      }
    }
    return { rows: [...rows].sort((a, b) => Number(a - b)), duplicates };

    function live(batch: number, step: () => void): void {
      let declared: OffsetRange | undefined = declaredRange(committed.metadata);
      const toRead = log.filter((one) => one >= committed.offset);
      let waiting: bigint[] = [];
      const commit = (offset: bigint, metadata: string) => {
        step();
        committed = { offset, metadata };
        step();
      };
      while (toRead.length > 0 || waiting.length > 0) {
        waiting = [...waiting, ...toRead.splice(0, batch)];
        for (;;) {
          const next = planRange({ offsets: waiting, oldestMs: 1_000, end }, declared, { maxRecords, lingerMs: 100 });
          if (next.kind === 'wait') break;
          if (declared === undefined) commit(next.range.first, declare ? rangeMetadata(next.range) : '');
          step();
          insert(waiting.slice(0, next.records), insertToken('t', 0, next.range, 'rows'));
          step();
          waiting = waiting.slice(next.records);
          declared = undefined;
          if (waiting.length === 0) commit(next.range.last + 1n, '');
        }
      }
    }

    function insert(unit: readonly bigint[], token: string): void {
      if (unit.length === 0 || tokens.has(token)) return;
      tokens.add(token);
      for (const one of unit) {
        if (rows.includes(one)) duplicates++;
        rows.push(one);
      }
    }
  }
});
