-- Originals that are fetched from URLs. A row ends with its video, or when the original is there.
CREATE TABLE progress.imports (
  video_id text COLLATE "C" PRIMARY KEY REFERENCES progress.videos ON DELETE CASCADE,
  owner_id text COLLATE "C" NOT NULL,
  -- May hold a secret of its owner (a signed URL): never shown, gone with the row.
  url text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  -- Not before; whoever fetches it puts it off while he does.
  try_at timestamptz NOT NULL
);
CREATE INDEX imports_due ON progress.imports (try_at);
