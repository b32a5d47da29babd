import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteCache } from './byte-cache.ts';

describe('the media that an edge keeps', () => {
  it('never takes more than its bytes, and what goes is what was not used for longest', () => {
    const step = fc.record({ put: fc.boolean(), key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = new ByteCache<number>(100);
        let model: { key: string; size: number }[] = []; // in order of last use
        for (const { put, key, size } of steps) {
          const known = model.find((entry) => entry.key === key);
          model = model.filter((entry) => entry !== known);
          if (put) {
            cache.put(key, size, size);
            model.push({ key, size });
            while (model.reduce((sum, entry) => sum + entry.size, 0) > 100) model.shift();
          } else {
            expect(cache.get(key)).toBe(known?.size);
            if (known !== undefined) model.push(known);
          }
          expect(cache.size).toBe(model.reduce((sum, entry) => sum + entry.size, 0));
        }
      }),
    );
  });

  it('keeps nothing that is larger than itself, and lets go of a whole stream', () => {
    const cache = new ByteCache<string>(10);
    cache.put('str_1/video/a', 'a', 4);
    cache.put('str_2/video/a', 'b', 4);
    cache.put('str_1/video/b', 'c', 11);
    expect(cache.get('str_1/video/b')).toBeUndefined();
    cache.removeAll('str_1/');
    expect([cache.get('str_1/video/a'), cache.get('str_2/video/a'), cache.size]).toEqual([undefined, 'b', 4]);
  });
});
