-- Images, whatever their source, and what became of their videos. Everything that is asked of an image is answered by this table alone.
CREATE TABLE progress.images (
  -- Unique in the installation.
  img_name text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  source_type text COLLATE "C" NOT NULL,
  has_video boolean NOT NULL,
  video_status text COLLATE "C" NOT NULL
    CHECK (video_status IN ('none', 'pending', 'processing', 'completed', 'failed')),
  video_id text COLLATE "C",
  playback_id text COLLATE "C",
  -- Key of the MP4.
  video_key text,
  -- The newest run that was not cancelled, or the one that is active.
  task_id text COLLATE "C",
  progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 100),
  error text,
  video_parameters jsonb,
  video_started_at timestamptz,
  video_finished_at timestamptz,
  -- While a run is active: what is true again when it is cancelled.
  before jsonb,
  -- Opens the picture to the provider while the run is active.
  access_sha256 text,
  -- The picture; NULL: registered by name only.
  picture jsonb,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  prompt text,
  parameters jsonb NOT NULL,
  -- Changes of video_status so far.
  changes bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (has_video = (video_id IS NOT NULL)),
  CHECK ((video_id IS NULL) = (playback_id IS NULL) AND (video_id IS NULL) = (video_key IS NULL)),
  CHECK (video_status <> 'completed' OR has_video),
  CHECK (video_status <> 'none' OR NOT has_video),
  CHECK ((before IS NULL) = (video_status NOT IN ('pending', 'processing')))
) WITH (fillfactor = 85);
-- Pages go by name; an admin sees those of everybody.
CREATE INDEX images_by_owner ON progress.images (owner_id, img_name);
CREATE INDEX images_by_owner_status ON progress.images (owner_id, video_status, img_name);
CREATE INDEX images_by_owner_source ON progress.images (owner_id, source_type, img_name);
CREATE INDEX images_by_owner_video ON progress.images (owner_id, has_video, img_name);
CREATE INDEX images_by_status ON progress.images (video_status, img_name);
CREATE INDEX images_by_source ON progress.images (source_type, img_name);
CREATE INDEX images_by_has_video ON progress.images (has_video, img_name);
CREATE UNIQUE INDEX images_by_video ON progress.images (video_id) WHERE video_id IS NOT NULL;

-- Every change of video_status, written with it. The newest 1,000 of each image are kept.
CREATE TABLE progress.image_history (
  img_name text COLLATE "C" NOT NULL REFERENCES progress.images ON DELETE CASCADE,
  -- Counts the changes of the image from 1.
  change bigint NOT NULL,
  at timestamptz NOT NULL,
  from_status text NOT NULL,
  to_status text NOT NULL,
  task_id text COLLATE "C",
  reason text,
  PRIMARY KEY (img_name, change),
  CHECK (from_status <> to_status)
);

-- What each owner has, counted with every change.
CREATE TABLE progress.image_owners (
  owner_id text COLLATE "C" PRIMARY KEY,
  images bigint NOT NULL CHECK (images >= 0),
  bytes bigint NOT NULL CHECK (bytes >= 0)
);

-- A key that was noted down before it was written, in case the writer dies, is taken off the list by its name.
CREATE INDEX cleanups_by_target ON progress.cleanups (target);
