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

  it('finds with named segments what a plain search over all prefixes finds', () => {
    const all = ['/', '/a', '/a/{id}', '/a/{id}/b', '/a/ab/b', '/{x}/b', '/b/{x}/{y}', '/a/b'];
    const fits = (prefix: string, asked: string) => {
      const steps = prefix === '/' ? [] : prefix.slice(1).split('/');
      const parts = asked.slice(1).split('/');
      return steps.every((step, i) => (step.startsWith('{') ? (parts[i] ?? '') !== '' : parts[i] === step));
    };
    // by length, then named before {name} from the left
    const order = (prefix: string) => prefix.split('/').map((step) => (step.startsWith('{') ? 'b' : 'a'));
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...all)), path, (prefixes, asked) => {
        const best = prefixes
          .filter((prefix) => fits(prefix, asked))
          .sort((x, y) => {
            const [a, b] = [x === '/' ? [] : order(x), y === '/' ? [] : order(y)];
            return b.length - a.length || (a.join('') < b.join('') ? -1 : 1);
          })[0];
        expect(createMountTable(prefixes.map(mount))(asked)?.prefix).toBe(best);
      }),
    );
  });

  it('gives a path below a named segment to the mount that names it', () => {
    const find = createMountTable([
      mount('/api/v1'),
      mount('/api/v1/streams/{id}/metrics'),
      mount('/api/v1/analytics'),
    ]);
    expect(find('/api/v1/streams/str_1/metrics')?.prefix).toBe('/api/v1/streams/{id}/metrics');
    expect(find('/api/v1/streams/str_1/metrics/more')?.prefix).toBe('/api/v1/streams/{id}/metrics');
    expect(find('/api/v1/streams/str_1')?.prefix).toBe('/api/v1');
    expect(find('/api/v1/streams/str_1/keys')?.prefix).toBe('/api/v1');
    expect(find('/api/v1/streams//metrics')?.prefix).toBe('/api/v1');
    expect(find('/api/v1/analytics/live')?.prefix).toBe('/api/v1/analytics');
  });

  it('refuses two mounts of one prefix and prefixes that it cannot read', () => {
    expect(() => createMountTable([mount('/a/{x}'), mount('/a/{y}')])).toThrow('taken twice');
    for (const prefix of ['a', '/a/', '/a/{x', '/a/x{y}', '/a?b', '']) {
      expect(() => createMountTable([mount(prefix)]), prefix).toThrow('mount prefix');
    }
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
