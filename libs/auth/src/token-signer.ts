import type { Clock } from '@millrace/clock';
import { type IdSource, newId } from '@millrace/ids';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { Role } from './claims.ts';

/** A key pair as JWKs (RFC 8037: OKP, Ed25519). `kid` is the start of the public key's thumbprint (RFC 7638). */
export interface SigningKeyPair {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

export interface IssuedToken {
  readonly token: string;
  readonly jti: string;
  readonly expiresAtMs: number;
}

export interface TokenSigner {
  readonly kid: string;
  /** A token for the REST APIs; `jti` is minted when absent. */
  issueApiToken(claims: {
    readonly ownerId: string;
    readonly role: Role;
    readonly expiresInS: number;
    readonly jti?: string;
  }): Promise<IssuedToken>;
  /** A token that plays one stream; about 280 characters, because it stands in URLs. */
  issuePlaybackToken(claims: { readonly playbackId: string; readonly expiresInS: number }): Promise<IssuedToken>;
}

/** Generates an Ed25519 key pair. */
export async function generateSigningKey(): Promise<SigningKeyPair> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const thumbprint = await calculateJwkThumbprint(publicJwk);
  return { kid: thumbprint.slice(0, 12), publicJwk, privateJwk: await exportJWK(privateKey) };
}

/** Opens a signer with one private key. Throws when the JWK is not an Ed25519 private key. */
export async function createTokenSigner(options: {
  readonly kid: string;
  readonly privateJwk: JWK;
  readonly clock: Clock;
  readonly idSource: IdSource;
}): Promise<TokenSigner> {
  const { kid, clock } = options;
  const key = await importJWK(options.privateJwk, 'EdDSA');
  const sign = async (payload: Record<string, unknown>, subject: string, jti: string, expiresInS: number) => {
    const exp = Math.floor(clock.nowMs() / 1000) + expiresInS;
    const token = await new SignJWT({ ...payload, sub: subject, jti, exp })
      .setProtectedHeader({ alg: 'EdDSA', kid })
      .sign(key);
    return { token, jti, expiresAtMs: exp * 1000 };
  };
  return {
    kid,
    issueApiToken: ({ ownerId, role, expiresInS, jti }) =>
      sign({ aud: 'api', role }, ownerId, jti ?? newId('tok', options.idSource), expiresInS),
    issuePlaybackToken: ({ playbackId, expiresInS }) =>
      sign({ aud: 'playback' }, playbackId, newId('tok', options.idSource), expiresInS),
  };
}
