import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNewKey, readStreamDetail, readWatchInfo } from './resources.ts';
import { choice, integer, list, nullable, number, object, optional, text, WireMismatch } from './wire.ts';

const reader = object({
  name: text,
  size: number,
  count: integer,
  role: choice(['admin', 'viewer']),
  gone: nullable(text),
  note: optional(text),
  tags: list(text),
});

describe('readers of JSON', () => {
  it('give what was sent, without what is not known', () => {
    fc.assert(
      fc.property(
        fc.record({
          name: fc.string(),
          size: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
          count: fc.integer(),
          role: fc.constantFrom('admin', 'viewer'),
          gone: fc.option(fc.string(), { nil: null }),
          note: fc.option(fc.string(), { nil: undefined }),
          tags: fc.array(fc.string()),
        }),
        (value) => {
          expect(reader(JSON.parse(JSON.stringify({ ...value, extra: 1 })), '')).toEqual(value);
        },
      ),
    );
  });

  it('give a value or a WireMismatch, whatever came', () => {
    for (const read of [reader, readStreamDetail, readNewKey, readWatchInfo]) {
      fc.assert(
        fc.property(fc.jsonValue(), (value) => {
          try {
            read(value, '');
          } catch (error) {
            expect(error).toBeInstanceOf(WireMismatch);
          }
        }),
      );
    }
  });

  it('say where, what was expected and what came', () => {
    const read = object({ items: list(object({ role: choice(['a', 'b']) })) });
    expect(() => read({ items: [{ role: 'a' }, { role: 'c' }] }, '')).toThrow(
      'items[1].role: expected one of a, b, got "c"',
    );
    expect(() => read(null, '')).toThrow('the answer: expected an object, got null');
    expect(() => read({}, '')).toThrow('items: expected a list, got nothing');
  });
});
