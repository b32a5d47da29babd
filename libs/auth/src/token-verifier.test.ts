import { ManualClock } from '@millrace/clock/testing';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { equalSecrets, hashSecret } from './secret-hash.ts';
import { openTestTokens } from './testing.ts';
import { VerifiedCache } from './verified-cache.ts';

const owner = { ownerId: 'own_1', role: 'broadcaster' as const, expiresInS: 60 };

async function kindOf(verdict: unknown): Promise<string> {
  const result = (await verdict) as { ok: boolean; error?: { kind: string } };
  return result.ok ? 'ok' : (result.error?.kind ?? '?');
}

describe('API tokens', () => {
  it('a fresh token gives back its owner, role and expiry', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const issued = await signer.issueApiToken(owner);
    const claims = expectOk(await verifier.verifyApiToken(issued.token), 'fresh token');
    expect(claims).toEqual({
      audience: 'api',
      ownerId: 'own_1',
      role: 'broadcaster',
      jti: issued.jti,
      expiresAtMs: issued.expiresAtMs,
    });
  });

  it('a token is refused from the instant of its expiry, remembered or not', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const seen = (await signer.issueApiToken(owner)).token;
    const unseen = (await signer.issueApiToken(owner)).token;
    expect(await kindOf(verifier.verifyApiToken(seen))).toBe('ok');
    await clock.advance(59_999);
    expect(await kindOf(verifier.verifyApiToken(seen))).toBe('ok');
    await clock.advance(1);
    expect(await kindOf(verifier.verifyApiToken(seen))).toBe('expired');
    expect(await kindOf(verifier.verifyApiToken(unseen))).toBe('expired');
  });

  it('a revocation reaches a token that was remembered', async () => {
    const clock = new ManualClock();
    const { signer, verifier, revoke } = await openTestTokens(clock);
    const issued = await signer.issueApiToken(owner);
    expect(await kindOf(verifier.verifyApiToken(issued.token))).toBe('ok');
    revoke(issued.jti);
    expect(await kindOf(verifier.verifyApiToken(issued.token))).toBe('revoked');
  });

  it('a retired or removed signing key takes its tokens with it', async () => {
    const clock = new ManualClock();
    const { signer, verifier, signingKeys, pair } = await openTestTokens(clock);
    const { token } = await signer.issueApiToken(owner);
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('ok');
    const state = signingKeys.get(pair.kid);
    if (state === undefined) throw new Error('the key is there');
    signingKeys.set(pair.kid, { ...state, retired_at_ms: clock.nowMs() });
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('expired');
    signingKeys.delete(pair.kid);
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('bad-signature');
  });

  it('tables that are not ready refuse nobody for good', async () => {
    const clock = new ManualClock();
    const { signer, verifier, revoked } = await openTestTokens(clock);
    const { token } = await signer.issueApiToken(owner);
    revoked.isReady = false;
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('not-ready');
    revoked.isReady = true;
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('ok');
  });

  it('a token signed by a stranger under our key id is refused', async () => {
    const clock = new ManualClock();
    const ours = await openTestTokens(clock);
    const theirs = await openTestTokens(clock);
    ours.signingKeys.set(theirs.pair.kid, { ...ours.signingKeys.get(ours.pair.kid)!, kid: theirs.pair.kid });
    const { token } = await theirs.signer.issueApiToken({ ...owner, role: 'admin' });
    expect(await kindOf(ours.verifier.verifyApiToken(token))).toBe('bad-signature');
  });

  it('alg none and HMAC over the public key are refused', async () => {
    const clock = new ManualClock();
    const { verifier, pair } = await openTestTokens(clock);
    const claims = { aud: 'api', sub: 'own_1', role: 'admin', jti: 'tok_1', exp: 4_000_000_000 };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const none = `${part({ alg: 'none', kid: pair.kid })}.${part(claims)}.AA`;
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: pair.kid })
      .sign(Buffer.from(String(pair.publicJwk.x).padEnd(32, 'x')));
    expect(await kindOf(verifier.verifyApiToken(none))).toBe('bad-signature');
    expect(await kindOf(verifier.verifyApiToken(hmac))).toBe('bad-signature');
  });

  it('no change of any character of a token leaves it valid', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const { token } = await signer.issueApiToken(owner);
    const signatureEnd = token.length - 1; // the last character of a signature carries unused bits (RFC 4648 3.5)
    await fc.assert(
      fc.asyncProperty(fc.nat(signatureEnd - 1), fc.constantFrom(...'Aa0_-.'), async (at, character) => {
        fc.pre(token[at] !== character);
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(await kindOf(verifier.verifyApiToken(changed))).not.toBe('ok');
      }),
      { numRuns: 60 },
    );
  });
});

describe('playback tokens', () => {
  it('a verified token is answered at once, without a promise', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const { token } = await signer.issuePlaybackToken({ playbackId: 'play_1', expiresInS: 60 });
    const first = verifier.verifyPlaybackToken(token, 'play_1');
    expect(first).toBeInstanceOf(Promise);
    expect(await kindOf(first)).toBe('ok');
    const second = verifier.verifyPlaybackToken(token, 'play_1');
    expect(second).toMatchObject({ ok: true, value: { playbackId: 'play_1' } });
  });

  it('a playback token opens one stream only and no API', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const { token } = await signer.issuePlaybackToken({ playbackId: 'play_1', expiresInS: 60 });
    expect(await kindOf(verifier.verifyPlaybackToken(token, 'play_2'))).toBe('wrong-stream');
    expect(await kindOf(verifier.verifyApiToken(token))).toBe('wrong-audience');
    const api = await signer.issueApiToken(owner);
    expect(await kindOf(verifier.verifyPlaybackToken(api.token, 'own_1'))).toBe('wrong-audience');
  });

  it('a playback token stays short enough for a path segment', async () => {
    const { signer } = await openTestTokens(new ManualClock());
    const { token } = await signer.issuePlaybackToken({ playbackId: `play_${'0'.repeat(26)}`, expiresInS: 60 });
    expect(token.length).toBeLessThan(300);
  });

  it('many viewers with one new token cost one signature check', async () => {
    const clock = new ManualClock();
    const { signer, verifier } = await openTestTokens(clock);
    const { token } = await signer.issuePlaybackToken({ playbackId: 'play_1', expiresInS: 60 });
    const kinds = await Promise.all(
      Array.from({ length: 50 }, () => kindOf(verifier.verifyPlaybackToken(token, 'play_1'))),
    );
    expect(new Set(kinds)).toEqual(new Set(['ok']));
  });
});

describe('remembered tokens', () => {
  it('never exceed the capacity, and the one unused for longest goes first', () => {
    const entry = { claims: {} as never, kid: 'k', key: {} as never };
    const cache = new VerifiedCache(2);
    cache.set('a', entry);
    cache.set('b', entry);
    cache.get('a');
    cache.set('c', entry);
    expect([cache.size, cache.get('a') !== undefined, cache.get('b'), cache.get('c') !== undefined]).toEqual([
      2,
      true,
      undefined,
      true,
    ]);
  });
});

describe('secrets', () => {
  it('are equal only when they are the same text', () => {
    expect(equalSecrets('mk_abc', 'mk_abc')).toBe(true);
    expect(equalSecrets('mk_abc', 'mk_abd')).toBe(false);
    expect(equalSecrets('', 'mk_abd')).toBe(false);
  });

  it('hash to SHA-256 in lower-case hex', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
