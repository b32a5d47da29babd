import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeEntries, encodeEntry, type SpooledFact } from './spool-codec.ts';

const fact: fc.Arbitrary<SpooledFact> = fc.record({
  topic: fc.string(),
  key: fc.string({ unit: 'binary' }),
  id: fc.string(),
  timeMs: fc.nat(),
  value: fc.record({ n: fc.integer(), text: fc.string({ unit: 'binary' }) }),
});
const facts = fc.array(fact, { maxLength: 20 });

it('facts come back from a spool file as they were written', () => {
  fc.assert(
    fc.property(facts, (written) => {
      const bytes = Buffer.concat(written.map(encodeEntry));
      expect(decodeEntries(bytes)).toEqual({ facts: written, bytes: bytes.length, rest: 'end' });
    }),
  );
});

it('a file cut anywhere gives exactly the facts that are whole, and says there could be more', () => {
  fc.assert(
    fc.property(facts, fc.nat(), (written, cut) => {
      const entries = written.map(encodeEntry);
      const bytes = Buffer.concat(entries);
      const at = cut % (bytes.length + 1);
      const decoded = decodeEntries(bytes.subarray(0, at));
      let whole = 0;
      let length = 0;
      while (entries[whole] !== undefined && length + (entries[whole]?.length ?? 0) <= at)
        length += entries[whole++]?.length ?? 0;
      expect(decoded).toEqual({ facts: written.slice(0, whole), bytes: length, rest: length === at ? 'end' : 'more' });
    }),
  );
});

it('a flipped bit never yields a fact that was not written', () => {
  fc.assert(
    fc.property(
      fc.array(fact, { minLength: 1, maxLength: 5 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (written, at, bit) => {
        const bytes = Buffer.concat(written.map(encodeEntry));
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const decoded = decodeEntries(bytes);
        expect(decoded.facts.length).toBeLessThan(written.length);
        expect(decoded.facts).toEqual(written.slice(0, decoded.facts.length));
      },
    ),
  );
});
