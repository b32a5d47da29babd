import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealed, seal, unseal } from './sealing.ts';

describe('sealing', () => {
  it('opens to what was sealed, with the same secret and purpose only', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (text, secret) => {
        const sealed = seal(secret, 'a', text);
        expect(isSealed(sealed)).toBe(true);
        expect(unseal(secret, 'a', sealed)).toEqual({ ok: true, value: text });
        expect(unseal(`${secret}!`, 'a', sealed).ok).toBe(false);
        expect(unseal(secret, 'b', sealed).ok).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('a changed byte anywhere keeps it shut', () => {
    const sealed = seal('secret', 'a', 'text');
    const bytes = Buffer.from(sealed.slice('sealed1.'.length), 'base64url');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(unseal('secret', 'a', `sealed1.${changed.toString('base64url')}`).ok).toBe(false);
    }
    expect(unseal('secret', 'a', '{"kty":"OKP"}').ok).toBe(false);
  });

  it('the same text sealed twice looks different', () => {
    expect(seal('secret', 'a', 'text')).not.toBe(seal('secret', 'a', 'text'));
  });
});
