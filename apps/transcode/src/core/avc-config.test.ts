import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AvcConfig, mergeAvcConfigs, readAvcConfig, spsIdsOf, writeAvcConfig } from './avc-config.ts';

/** Exp-Golomb of an id below 31, then a stop and something more. */
function idBits(id: number, rest: number): readonly number[] {
  const bits = (id + 1).toString(2);
  const text = `${'0'.repeat(bits.length - 1)}${bits}`.padEnd(16, '1');
  return [Number.parseInt(text.slice(0, 8), 2), Number.parseInt(text.slice(8), 2), rest];
}
const sps = (id: number, rest: number) => Uint8Array.of(0x67, 0x64, 0, 0x1f, ...idBits(id, rest));
const pps = (id: number, rest: number) => Uint8Array.of(0x68, ...idBits(id, rest));
const config = (id: number, rest: number, level = 31): AvcConfig => ({
  ...{ profile: 100, compatibility: 0, level, sps: [sps(id, rest)], pps: [pps(id, rest)] },
});
const someConfig = fc
  .tuple(fc.nat(31), fc.nat(255), fc.integer({ min: 10, max: 62 }))
  .map(([id, rest, level]) => config(id, rest, level));

it('a record says again what was written, and any other bytes are taken for none or for one', () => {
  fc.assert(
    fc.property(someConfig, (one) => {
      const read = readAvcConfig(writeAvcConfig(one));
      expect(read).toEqual(one);
      expect(read && spsIdsOf(read)).toEqual(spsIdsOf(one));
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void readAvcConfig(bytes)));
});

it('sets of different ids stand side by side once each, and two of one id are refused', () => {
  fc.assert(
    fc.property(fc.array(someConfig, { minLength: 1, maxLength: 8 }), (all) => {
      const merged = mergeAvcConfigs(all);
      const contents = new Map<number, string>();
      const clash = all.some((one) => {
        const id = spsIdsOf(one)[0] ?? -1;
        const text = String(one.sps[0]);
        const other = contents.get(id);
        contents.set(id, text);
        return other !== undefined && other !== text;
      });
      expect(merged.ok).toBe(!clash);
      if (!merged.ok) return;
      expect(new Set(spsIdsOf(merged.value))).toEqual(new Set(all.flatMap(spsIdsOf)));
      expect(merged.value.sps.length).toBe(contents.size);
      expect(merged.value.level).toBe(Math.max(...all.map((one) => one.level)));
    }),
  );
  expect(mergeAvcConfigs([config(0, 1), { ...config(1, 1), profile: 66 }]).ok).toBe(false);
});
