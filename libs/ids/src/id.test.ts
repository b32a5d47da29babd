import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextEpoch, parseEpoch } from './epoch.ts';
import { idTimeMs, newId, parseId, systemIdSource } from './id.ts';

const source = fc.record({
  ms: fc.integer({ min: 0, max: 2 ** 47 }),
  seed: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

function idFrom({ ms, seed }: { ms: number; seed: Uint8Array }) {
  return newId('str', { nowMs: () => ms, random: (bytes) => (bytes.set(seed), bytes) });
}

describe('ids', () => {
  it('parse back to themselves, and only under their own prefix', () => {
    fc.assert(
      fc.property(source, (given) => {
        const id = idFrom(given);
        expect(parseId('str', id)).toEqual({ ok: true, value: id });
        expect(parseId('key', id).ok).toBe(false);
      }),
    );
  });

  it('sort by creation time and carry it', () => {
    fc.assert(
      fc.property(source, source, (a, b) => {
        expect(idTimeMs(idFrom(a))).toBe(a.ms);
        fc.pre(a.ms !== b.ms);
        expect(idFrom(a) < idFrom(b)).toBe(a.ms < b.ms);
      }),
    );
  });

  it('are UUIDv7 by version and variant bits', () => {
    const id = idFrom({ ms: 0, seed: new Uint8Array(16).fill(0xff) });
    expect(id).toBe('str_0000000000fzzvzzzzzzzzzzzz');
  });

  it('are all different, and take no randomness twice, in whatever pieces it is taken', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 8, max: 200 }), { minLength: 1, maxLength: 300 }), (sizes) => {
        const taken = sizes.map((size) => Buffer.from(systemIdSource.random(new Uint8Array(size))).toString('hex'));
        const firsts = taken.map((text) => text.slice(0, 16));
        expect(new Set(firsts).size).toBe(sizes.length);
        expect(taken.map((text) => text.length / 2)).toEqual(sizes);
      }),
    );
    expect(new Set(Array.from({ length: 2_000 }, () => newId('ses'))).size).toBe(2_000);
  });

  it('never parse from other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^str_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text));
        expect(parseId('str', text).ok).toBe(false);
      }),
    );
  });

  it('say in the error what was expected and what came', () => {
    const parsed = parseId('str', 'nope');
    expect(parsed.ok ? '' : parsed.error.message).toBe('expected an id like str_ and 26 characters, got "nope"');
  });
});

describe('epochs', () => {
  it('only rise, whatever the wall clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 41 }), { minLength: 2 }), (wallClock) => {
        let last = nextEpoch(wallClock[0]!, undefined);
        for (const nowMs of wallClock.slice(1)) {
          const next = nextEpoch(nowMs, last);
          expect(next).toBeGreaterThan(last);
          last = next;
        }
      }),
    );
  });

  it('parse from a path segment, and refuse what is no positive integer', () => {
    expect(parseEpoch('1700000000000')).toEqual({ ok: true, value: 1700000000000 });
    for (const bad of ['', '-1', '1.5', '0', 'x', '99999999999999999', Number.NaN])
      expect(parseEpoch(bad).ok).toBe(false);
  });
});
