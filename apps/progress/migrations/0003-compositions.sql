-- Videos that were joined to one. The output is a video of its own.
CREATE TABLE progress.compositions (
  composition_id text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  title text NOT NULL,
  -- In playing order: [{videoId, startMs?, endMs?}].
  items jsonb NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  progress double precision NOT NULL CHECK (progress BETWEEN 0 AND 100),
  error jsonb,
  -- Of the video that came of it, which may have been deleted since.
  output jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  finished_at timestamptz,
  CHECK (status <> 'completed' OR output IS NOT NULL)
);
CREATE INDEX compositions_by_owner ON progress.compositions (owner_id, composition_id);
