import type { Migration } from '@millrace/postgres';

/** Tables of the log, in a schema of their own. Text columns named `records` hold what `batch-codec.ts` writes. */
export const logMigrations: readonly Migration[] = [
  {
    name: '0001-log.sql',
    text: `
CREATE TABLE topics (
  name text PRIMARY KEY,
  kind text NOT NULL,
  partitions int NOT NULL,
  retention_ms int8            -- null: for ever
);
CREATE TABLE partitions (
  topic text NOT NULL REFERENCES topics (name),
  partition int NOT NULL,
  start_offset int8 NOT NULL DEFAULT 0,
  next_offset int8 NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
);
-- Filled by writers in their own transactions, emptied by the one appender.
CREATE TABLE outbox (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL REFERENCES topics (name),
  partition int NOT NULL,
  count int NOT NULL,
  newest_ms int8 NOT NULL,
  records text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
-- One row is a batch of consecutive offsets of one partition.
CREATE TABLE log (
  topic text NOT NULL,
  partition int NOT NULL,
  last_offset int8 NOT NULL,
  base_offset int8 NOT NULL,
  newest_ms int8 NOT NULL,
  records text NOT NULL,
  PRIMARY KEY (topic, partition, last_offset)
);
-- The compacted side of state topics: the last record of each key, tombstones included for a while.
CREATE TABLE last_values (
  topic text NOT NULL,
  key text NOT NULL,
  partition int NOT NULL,
  "offset" int8 NOT NULL,
  time_ms int8 NOT NULL,
  removed boolean NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (topic, key)
) WITH (fillfactor = 70);
CREATE INDEX last_values_by_offset ON last_values (topic, partition, "offset");
-- Fence of the appender: each take-over raises the epoch, each append locks the row and compares.
CREATE TABLE appender (one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch int8 NOT NULL);
INSERT INTO appender (epoch) VALUES (0);
CREATE TABLE group_members (
  group_name text NOT NULL,
  member text NOT NULL,
  topics text[] NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (group_name, member)
) WITH (fillfactor = 50);
CREATE TABLE group_partitions (
  group_name text NOT NULL,
  topic text NOT NULL,
  partition int NOT NULL,
  owner text,
  generation int NOT NULL DEFAULT 0,
  committed int8,
  metadata text NOT NULL DEFAULT '',
  PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);
`,
  },
  {
    name: '0002-identity.sql',
    text: `
-- Names this history of the log; a new database has another.
CREATE TABLE identity (one boolean PRIMARY KEY DEFAULT true CHECK (one), id text NOT NULL);
INSERT INTO identity (id) VALUES (replace(gen_random_uuid()::text, '-', ''));
`,
  },
  {
    name: '0003-relay.sql',
    text: `
-- The one process that moves the outbox to Kafka. clean: it said goodbye, so nothing of it can still be on its way.
CREATE TABLE relay (one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch int8 NOT NULL, clean boolean NOT NULL);
INSERT INTO relay (epoch, clean) VALUES (0, true);
`,
  },
];

export const logSchema = 'eventlog';
