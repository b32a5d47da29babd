-- Everything control owns. Ids are compared byte by byte (COLLATE "C"), so that order by id is order of creation.
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE control.owners (
  owner_id text COLLATE "C" PRIMARY KEY,
  created_at timestamptz NOT NULL,
  first_admin boolean NOT NULL DEFAULT false
);
-- The owner of the admin link: there is one.
CREATE UNIQUE INDEX owners_first_admin ON control.owners (first_admin) WHERE first_admin;

CREATE TABLE control.streams (
  stream_id text COLLATE "C" PRIMARY KEY,
  playback_id text COLLATE "C" NOT NULL UNIQUE,
  owner_id text COLLATE "C" NOT NULL,
  title text NOT NULL,
  visibility text NOT NULL CHECK (visibility IN ('public', 'private')),
  latency_mode text NOT NULL CHECK (latency_mode IN ('low', 'standard')),
  revision integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX streams_by_owner ON control.streams (owner_id, stream_id);

-- The key itself is kept nowhere, only its SHA-256.
CREATE TABLE control.stream_keys (
  key_id text COLLATE "C" PRIMARY KEY,
  stream_id text COLLATE "C" NOT NULL REFERENCES control.streams ON DELETE CASCADE,
  owner_id text COLLATE "C" NOT NULL,
  key_sha256 text NOT NULL UNIQUE,
  last4 text NOT NULL,
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX stream_keys_by_stream ON control.stream_keys (stream_id, key_id);
CREATE INDEX stream_keys_ending ON control.stream_keys (least(expires_at, revoked_at))
  WHERE expires_at IS NOT NULL OR revoked_at IS NOT NULL;

-- Tokens are signed, not stored: a row says that one was issued and whether it was revoked.
CREATE TABLE control.api_tokens (
  jti text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'broadcaster', 'analyst', 'viewer')),
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX api_tokens_by_owner ON control.api_tokens (owner_id, jti);
CREATE INDEX api_tokens_by_expiry ON control.api_tokens (expires_at);

-- private_jwk is sealed with CONTROL_KEY_SECRET where that is set, otherwise plain JSON.
CREATE TABLE control.signing_keys (
  kid text COLLATE "C" PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  private_jwk text NOT NULL,
  created_at timestamptz NOT NULL,
  retired_at timestamptz
);

CREATE TABLE control.sign_in_codes (
  code_sha256 text PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL REFERENCES control.owners,
  role text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);

-- What ingest says about each stream, folded: (epoch, ended, position) only rises, which makes redelivery harmless.
CREATE TABLE control.live_states (
  stream_id text COLLATE "C" PRIMARY KEY REFERENCES control.streams ON DELETE CASCADE,
  owner_id text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  ended boolean NOT NULL,
  position bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('idle', 'live', 'interrupted')),
  publish_id text NOT NULL,
  instance_id text NOT NULL,
  live_since timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX live_states_running ON control.live_states (instance_id) WHERE state <> 'idle';

-- First answers of POSTs with an Idempotency-Key, sealed with that key: they may hold a secret that is shown once.
CREATE TABLE control.idempotency (
  owner_id text COLLATE "C" NOT NULL,
  route text NOT NULL,
  key_sha256 text NOT NULL,
  body_sha256 text NOT NULL,
  status integer NOT NULL,
  sealed_answer text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, route, key_sha256)
);
CREATE INDEX idempotency_by_expiry ON control.idempotency (expires_at);
