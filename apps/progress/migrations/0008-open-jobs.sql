-- How many jobs of an owner wait or run: the sum of `open` over its rows. A submit would otherwise count rows by the thousand. Each
-- connection has a row of its own (its backend's number modulo 64), so that submits of one owner do not wait for each other; a job may
-- be counted in one row and its end in another, so a row may be below 0. Changes in the statements that change progress.jobs.
CREATE TABLE progress.open_jobs (
  owner_id text COLLATE "C" NOT NULL,
  slot smallint NOT NULL,
  open integer NOT NULL,
  PRIMARY KEY (owner_id, slot)
) WITH (fillfactor = 50);
INSERT INTO progress.open_jobs (owner_id, slot, open)
  SELECT owner_id, 0, count(*) FROM progress.jobs WHERE status IN ('pending', 'processing') GROUP BY owner_id;
