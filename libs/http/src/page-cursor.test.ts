import { newId } from '@millrace/ids';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, pageOfRows } from './page-cursor.ts';

describe('cursors', () => {
  it('give back the id they were made of', () => {
    for (const prefix of ['str', 'key', 'tok'] as const) {
      const id = newId(prefix);
      expect(expectOk(decodeCursor(encodeCursor(id)), 'own cursor')).toBe(id);
    }
  });

  it('any other text is refused or gives something that can only be an id', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = decodeCursor(text);
        if (id.ok) expect(id.value).toMatch(/^[0-9a-z_]{4,40}$/);
      }),
    );
    expect(decodeCursor('').ok).toBe(false);
    expect(decodeCursor("a'; DROP TABLE").ok).toBe(false);
  });

  it('pages show every item that was there exactly once, whatever is inserted between them', () => {
    const ids = fc.uniqueArray(fc.nat(100_000), { maxLength: 40 });
    fc.assert(
      fc.property(
        ids,
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.nat(5), { maxLength: 50 }),
        (start, limit, inserts) => {
          let rows = start.map((n) => `str_${String(n).padStart(8, '0')}`);
          const before = [...rows];
          const shown: string[] = [];
          let after: string | undefined;
          for (let page = 0; page < 200; page++) {
            const read = rows
              .filter((id) => after === undefined || id < after)
              .sort()
              .reverse()
              .slice(0, limit + 1);
            const { items, next_cursor } = pageOfRows(
              read,
              limit,
              (id) => id,
              (id) => id,
            );
            shown.push(...items);
            if (next_cursor === null) break;
            after = expectOk(decodeCursor(next_cursor), 'own cursor');
            const count = inserts[page] ?? 0;
            rows = [...rows, ...Array.from({ length: count }, (_, i) => `str_9${page}${i}`.padEnd(12, '9'))];
          }
          expect(shown.filter((id) => before.includes(id)).sort()).toEqual(before.sort());
          expect(new Set(shown).size).toBe(shown.length);
        },
      ),
    );
  });
});
