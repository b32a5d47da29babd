import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pagedItems } from './paged-items.ts';

const size = 4;
/** A list in the order of its names, as the API pages it. */
function pageOf(names: ReadonlySet<string>, after = '') {
  const behind = [...names].sort().filter((name) => name > after);
  const items = behind.slice(0, size);
  return { items, next_cursor: behind.length > size ? (items.at(-1) ?? null) : null };
}
const self = (name: string) => name;

it('what newer ones push off the first page stays, and what was deleted goes', () => {
  const names = new Set(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
  const shown = [...pageOf(names).items, ...pageOf(names, 'e').items];
  names.add('a');
  expect(pagedItems(pageOf(names), shown, self).join('')).toBe('abcdefghi');
  names.delete('c');
  names.delete('d');
  expect(pagedItems(pageOf(names), shown, self).join('')).toBe('abefghi');
  expect(pagedItems(undefined, shown, self)).toEqual(shown);
  expect(pagedItems(pageOf(new Set(['z'])), shown, self)).toEqual(['z']);
});

it('however a list changes by fewer than a page, nothing that is there is lost, twice or out of order', () => {
  const name = fc.string({ unit: fc.constantFrom(...'abcdefgh'), minLength: 2, maxLength: 3 });
  const changes = fc.array(fc.record({ name, add: fc.boolean() }), { maxLength: size - 1 });
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 8, maxLength: 20 }), changes, (given, moved) => {
      const names = new Set(given);
      const first = pageOf(names);
      const shown = [...first.items, ...pageOf(names, first.items.at(-1)).items];
      for (const change of moved) {
        if (change.add) names.add(change.name);
        else names.delete(change.name);
      }
      const now = pageOf(names);
      const listed = pagedItems(now, shown, self);
      expect(listed).toEqual([...new Set(listed)].sort());
      for (const one of [...now.items, ...shown].filter((name) => names.has(name))) expect(listed).toContain(one);
      const end = now.items.at(-1) ?? '';
      for (const one of listed) if (one <= end) expect(names.has(one)).toBe(true);
    }),
  );
});
