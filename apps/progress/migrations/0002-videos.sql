-- Videos, what their runs made, and uploads that are under way.
CREATE TABLE progress.videos (
  video_id text COLLATE "C" PRIMARY KEY,
  playback_id text COLLATE "C" NOT NULL UNIQUE,
  owner_id text COLLATE "C" NOT NULL,
  title text NOT NULL,
  visibility text NOT NULL CHECK (visibility IN ('public', 'private')),
  origin text NOT NULL CHECK (origin IN ('upload', 'import', 'composition', 'image', 'recording')),
  language text,
  source_state text NOT NULL CHECK (source_state IN ('uploading', 'importing', 'ready', 'failed')),
  source_key text,
  size_bytes bigint,
  source_error text,
  process_on_source boolean NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  -- The newest job, kept after its end; NULL: never processed.
  task_id text COLLATE "C",
  progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 100),
  error jsonb,
  media jsonb,
  playable jsonb,
  file_key text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (source_state <> 'ready' OR source_key IS NOT NULL)
);
CREATE INDEX videos_by_owner ON progress.videos (owner_id, video_id) INCLUDE (size_bytes);
CREATE INDEX videos_by_owner_status ON progress.videos (owner_id, status, video_id);
CREATE INDEX videos_by_status ON progress.videos (status, video_id);
CREATE INDEX videos_by_origin ON progress.videos (origin, video_id);

-- Outcomes of the run that made the asset, for runs of some steps.
CREATE TABLE progress.video_outcomes (
  video_id text COLLATE "C" PRIMARY KEY REFERENCES progress.videos ON DELETE CASCADE,
  outcomes jsonb NOT NULL
);

-- Uploads by tus. A finished one stays until it expires, so that a client whose last answer was lost learns that it is done.
CREATE TABLE progress.uploads (
  upload_id text COLLATE "C" PRIMARY KEY,
  video_id text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  received_bytes bigint NOT NULL CHECK (received_bytes BETWEEN 0 AND size_bytes),
  -- receiving -> joining (every byte is here) -> done | failed
  state text NOT NULL CHECK (state IN ('receiving', 'joining', 'done', 'failed')),
  metadata jsonb NOT NULL,
  -- Counts what was tried to join the parts, and when it may be tried again.
  tries integer NOT NULL DEFAULT 0,
  try_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  -- Moves with every part.
  expires_at timestamptz NOT NULL
);
CREATE INDEX uploads_by_owner ON progress.uploads (owner_id, state) INCLUDE (size_bytes);
CREATE INDEX uploads_by_video ON progress.uploads (video_id);
CREATE INDEX uploads_joining ON progress.uploads (try_at) WHERE state = 'joining';
CREATE INDEX uploads_expiring ON progress.uploads (expires_at);

-- Parts in the media store, without gaps from byte 0 to received_bytes.
CREATE TABLE progress.upload_parts (
  upload_id text COLLATE "C" NOT NULL REFERENCES progress.uploads ON DELETE CASCADE,
  start_byte bigint NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  key text NOT NULL,
  PRIMARY KEY (upload_id, start_byte)
);

-- Who writes an upload now, for all instances. Without a foreign key: the lock is there before its upload.
CREATE TABLE progress.upload_locks (
  upload_id text COLLATE "C" PRIMARY KEY,
  token text NOT NULL,
  until timestamptz NOT NULL,
  -- Somebody waits for it.
  wanted boolean NOT NULL DEFAULT false
);
