import { z } from 'zod';
import { dayMs, defineTopic, keepForever } from './topic.ts';

export const visibilitySchema = z.enum(['public', 'private']);
export const latencyModeSchema = z.enum(['low', 'standard']);
export type Visibility = z.infer<typeof visibilitySchema>;
/** `low`: 200 ms parts; `standard`: 333 ms parts. */
export type LatencyMode = z.infer<typeof latencyModeSchema>;

const streamDefinition = z.object({
  stream_id: z.string(),
  playback_id: z.string(),
  owner_id: z.string(),
  title: z.string(),
  visibility: visibilitySchema,
  latency_mode: latencyModeSchema,
  created_at_ms: z.int(),
  updated_at_ms: z.int(),
});
export type StreamDefinition = z.infer<typeof streamDefinition>;

/** Every stream that exists. A tombstone (undefined value) says it was deleted. */
export const streamsTopic = defineTopic<StreamDefinition>({
  name: 'control.streams.v1',
  kind: 'state',
  schema: streamDefinition,
  key: (value) => value.stream_id,
  retentionMs: keepForever,
  doc: 'Stream definitions, written by control, read by ingest and delivery as a table.',
});

const streamKeyState = z.object({
  key_id: z.string(),
  stream_id: z.string(),
  owner_id: z.string(),
  /** SHA-256 of the key, 64 lower-case hex digits. The key itself is kept nowhere. */
  key_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  label: z.string(),
  /** When the key stops being accepted (rotation overlap); absent: never. */
  expires_at_ms: z.int().optional(),
  revoked: z.boolean(),
});
export type StreamKeyState = z.infer<typeof streamKeyState>;

/** Every stream key by id, hash only. */
export const streamKeysTopic = defineTopic<StreamKeyState>({
  name: 'control.stream-keys.v1',
  kind: 'state',
  schema: streamKeyState,
  key: (value) => value.key_id,
  retentionMs: keepForever,
  doc: 'Stream key hashes, written by control, read by ingest as a table.',
});

const signingKey = z.object({
  kid: z.string(),
  /** Public JWK (OKP, Ed25519). */
  public_jwk: z.record(z.string(), z.unknown()),
  created_at_ms: z.int(),
  /** Tokens of this key are refused after this time; absent: still in use. */
  retired_at_ms: z.int().optional(),
});
export type SigningKey = z.infer<typeof signingKey>;

/** Public keys that verify API and playback tokens. */
export const signingKeysTopic = defineTopic<SigningKey>({
  name: 'control.signing-keys.v1',
  kind: 'state',
  schema: signingKey,
  key: (value) => value.kid,
  retentionMs: keepForever,
  doc: 'Public signing keys, written by control, read by every service as a table.',
});

const revokedToken = z.object({ jti: z.string(), revoked_at_ms: z.int(), expires_at_ms: z.int() });
export type RevokedToken = z.infer<typeof revokedToken>;

/** Token ids that are refused before their expiry. */
export const revokedTokensTopic = defineTopic<RevokedToken>({
  name: 'control.revoked-tokens.v1',
  kind: 'state',
  schema: revokedToken,
  key: (value) => value.jti,
  retentionMs: keepForever,
  doc: 'Revoked token ids, written by control, read by every service as a table.',
});

const auditFact = z.object({
  type: z.literal('ActionTaken'),
  actor: z.string(),
  action: z.string(),
  resource: z.string(),
  owner_id: z.string(),
  request_id: z.string(),
  at_ms: z.int(),
});
export type AuditFact = z.infer<typeof auditFact>;

/** Who changed what: one fact for every mutating call that was carried out. */
export const auditTopic = defineTopic<AuditFact>({
  name: 'control.audit.v1',
  kind: 'facts',
  schema: auditFact,
  key: (value) => value.actor,
  retentionMs: 90 * dayMs,
  doc: 'Audit trail of mutating calls, written by every API.',
});
