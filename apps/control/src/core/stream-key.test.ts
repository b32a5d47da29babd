import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newStreamKeyText } from './secret-text.ts';
import { isUsable, type KeyRecord, keyState, retire } from './stream-key.ts';

const key: KeyRecord = {
  ...{ keyId: 'key_1', streamId: 'str_1', ownerId: 'own_1', sha256: 'a'.repeat(64), last4: 'wxyz', label: 'OBS' },
  ...{ createdAtMs: 0, lastUsedAtMs: undefined, expiresAtMs: undefined, revokedAtMs: undefined },
};

describe('stream keys', () => {
  it('a rotated key works to the end of the overlap and not a millisecond longer', () => {
    const retired = retire(key, 1_000, 60_000);
    if (!retired.ok) throw new Error('it was usable');
    expect(isUsable(retired.value, 60_999)).toBe(true);
    expect(isUsable(retired.value, 61_000)).toBe(false);
    expect(keyState(retired.value)).toMatchObject({ expires_at_ms: 61_000, revoked: false });
  });

  it('a second rotation never makes a key live longer', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(1_000_000), (first, later, second) => {
        const once = retire(key, 0, first);
        if (!once.ok) return;
        const twice = retire(once.value, later, second);
        if (twice.ok) expect(twice.value.expiresAtMs).toBeLessThanOrEqual(first);
        else expect(later).toBeGreaterThanOrEqual(first);
      }),
    );
  });

  it('a revoked or expired key cannot be rotated', () => {
    expect(retire({ ...key, revokedAtMs: 5 }, 10, 1_000)).toMatchObject({
      ok: false,
      error: { kind: 'key-not-usable' },
    });
    expect(retire({ ...key, expiresAtMs: 10 }, 10, 1_000)).toMatchObject({ ok: false });
  });

  it('key texts are mk_ and 32 base32 characters of the given randomness', () => {
    expect(newStreamKeyText((bytes) => bytes.fill(255))).toBe(`mk_${'7'.repeat(32)}`);
    expect(newStreamKeyText((bytes) => crypto.getRandomValues(bytes))).toMatch(/^mk_[a-z2-7]{32}$/);
  });
});
