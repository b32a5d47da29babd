-- How many videos an owner has: the sum of `videos` over its rows, as in progress.open_jobs. Changes in the statements that change
-- progress.videos.
CREATE TABLE progress.video_counts (
  owner_id text COLLATE "C" NOT NULL,
  slot smallint NOT NULL,
  videos integer NOT NULL,
  PRIMARY KEY (owner_id, slot)
) WITH (fillfactor = 50);
INSERT INTO progress.video_counts (owner_id, slot, videos)
  SELECT owner_id, 0, count(*) FROM progress.videos GROUP BY owner_id;
