import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMountTable, targetPath } from './mount-table.ts';
import type { HttpMount } from './service.ts';

const mount = (prefix: string): HttpMount => ({ prefix, handle: () => {} });
const path = fc.array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 5 }).map((parts) => `/${parts.join('/')}`);

describe('the mount table', () => {
  it('finds what a plain search over all prefixes finds', () => {
    const prefixes = fc.uniqueArray(fc.constantFrom('/', '/a', '/a/b', '/ab', '/b/a/a'));
    fc.assert(
      fc.property(prefixes, path, (all, asked) => {
        const expected = all
          .filter((prefix) => prefix === '/' || asked === prefix || asked.startsWith(`${prefix}/`))
          .sort((a, b) => b.length - a.length)[0];
        expect(createMountTable(all.map(mount))(asked)?.prefix).toBe(expected);
      }),
    );
  });

  it('takes the path out of origin-form and absolute-form targets and refuses others', () => {
    expect(targetPath('/a/b?c#d')).toBe('/a/b');
    expect(targetPath('http://host:1/a?b')).toBe('/a');
    expect(targetPath('http://host')).toBe('/');
    expect(targetPath('*')).toBeUndefined();
    expect(targetPath('host:443')).toBeUndefined();
    expect(targetPath('')).toBeUndefined();
  });
});
