-- Pictures that are fetched from URLs: of an image without a picture, what becomes of it.
ALTER TABLE progress.images ADD COLUMN picture_import text CHECK (picture_import IN ('importing', 'failed')),
  ADD COLUMN picture_error text;

-- Pictures that are to be fetched. A row ends with its image, or when the picture is there.
CREATE TABLE progress.picture_imports (
  img_name text COLLATE "C" PRIMARY KEY REFERENCES progress.images ON DELETE CASCADE,
  owner_id text COLLATE "C" NOT NULL,
  -- May hold a secret of its owner (a signed URL): never shown, gone with the row.
  url text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  -- Not before; whoever fetches it puts it off while he does.
  try_at timestamptz NOT NULL
);
CREATE INDEX picture_imports_due ON progress.picture_imports (try_at);

-- How much of an original has come, while it is on its way; NULL: nobody knows how much it is.
ALTER TABLE progress.imports ADD COLUMN received_bytes bigint NOT NULL DEFAULT 0,
  ADD COLUMN total_bytes bigint;
