-- Small copies of pictures. The pictures that are there already are due at once: the constant default is written into no row.
ALTER TABLE progress.images ADD COLUMN thumbnail jsonb,
  -- When it is to be made, at the earliest; NULL: it is there, or cannot be made.
  ADD COLUMN thumbnail_due_at timestamptz DEFAULT now();
ALTER TABLE progress.images ALTER COLUMN thumbnail_due_at DROP DEFAULT;
-- Images without a picture wait in it for nothing.
CREATE INDEX images_thumbnail_due ON progress.images (thumbnail_due_at) WHERE picture IS NOT NULL AND thumbnail_due_at IS NOT NULL;
