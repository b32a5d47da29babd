-- What has come of an original and is kept in the media store, so that whoever goes on with it asks for the rest alone.
-- The parts are all of one version of the file, that which the validator names (RFC 9110 8.8, for If-Range).
ALTER TABLE progress.imports ADD COLUMN validator text,
  -- Of the parts of this version, without a final slash; NULL: nothing is kept.
  ADD COLUMN folder text,
  ADD COLUMN kept_bytes bigint NOT NULL DEFAULT 0;

-- Parts without gaps from byte 0 to kept_bytes.
CREATE TABLE progress.import_parts (
  video_id text COLLATE "C" NOT NULL REFERENCES progress.imports ON DELETE CASCADE,
  start_byte bigint NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  key text NOT NULL,
  PRIMARY KEY (video_id, start_byte)
);
