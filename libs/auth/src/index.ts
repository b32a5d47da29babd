export { type Actor, confinedTo, mayActBy, type RoleMatrix } from './access.ts';
export { type ApiClaims, type PlaybackClaims, type Role, roles, type TokenRefusal } from './claims.ts';
export { isSealed, seal, unseal } from './sealing.ts';
export { equalSecrets, hashSecret } from './secret-hash.ts';
export {
  createTokenSigner,
  generateSigningKey,
  type IssuedToken,
  type SigningKeyPair,
  type TokenSigner,
} from './token-signer.ts';
export {
  createTokenVerifier,
  type TokenTable,
  type TokenVerifier,
  type TokenVerifierOptions,
  type Verdict,
} from './token-verifier.ts';
