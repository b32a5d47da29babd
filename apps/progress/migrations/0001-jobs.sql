-- Jobs, their steps and tasks. Ids are compared byte by byte (COLLATE "C"), so that order by id is order of creation.
CREATE SCHEMA IF NOT EXISTS progress;

CREATE TABLE progress.jobs (
  job_id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL,
  subject text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  -- 0 high, 1 normal, 2 low
  priority smallint NOT NULL,
  request jsonb NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  -- A cancel was asked for; the job ends when its last lease has.
  cancelling boolean NOT NULL DEFAULT false,
  -- Stop orders are out, for a cancelled job or a failed one, and a lease lives yet: nothing starts in its slot.
  draining boolean NOT NULL DEFAULT false,
  -- Waits for a draining job of its slot.
  blocked boolean NOT NULL DEFAULT false,
  progress double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  phase text,
  -- What the estimate of the end rests on.
  pace jsonb,
  error_step text,
  error_code text,
  error_reason text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  updated_at timestamptz NOT NULL,
  finished_at timestamptz,
  -- Its subject was deleted: nobody asks for it by that any more.
  forgotten boolean NOT NULL DEFAULT false,
  -- Tasks and attempts were removed; what is left answers for the subject.
  stripped boolean NOT NULL DEFAULT false,
  CHECK (finished_at IS NULL = (status IN ('pending', 'processing'))),
  CHECK (status = 'processing' OR NOT cancelling)
);
-- The slot: one active job for each kind and subject. A cancelling job has left it.
CREATE UNIQUE INDEX jobs_slot ON progress.jobs (kind, subject) WHERE status IN ('pending', 'processing') AND NOT cancelling;
CREATE INDEX jobs_by_subject ON progress.jobs (kind, subject, job_id);
CREATE INDEX jobs_by_owner ON progress.jobs (owner_id, job_id);
CREATE INDEX jobs_open ON progress.jobs (owner_id, status) WHERE status IN ('pending', 'processing');
CREATE INDEX jobs_draining ON progress.jobs (kind, subject) WHERE draining;
CREATE INDEX jobs_by_kind ON progress.jobs (kind, status, job_id);
CREATE INDEX jobs_by_status ON progress.jobs (status, job_id);
CREATE INDEX jobs_finished ON progress.jobs (finished_at) WHERE finished_at IS NOT NULL AND NOT stripped;
CREATE INDEX jobs_forgotten ON progress.jobs (job_id) WHERE forgotten;

CREATE TABLE progress.steps (
  job_id text COLLATE "C" NOT NULL REFERENCES progress.jobs ON DELETE CASCADE,
  place smallint NOT NULL,
  name text NOT NULL,
  -- As planned; what counts is shared out anew when a step is skipped.
  weight double precision NOT NULL,
  phase text NOT NULL,
  status text NOT NULL
    CHECK (status IN ('pending', 'processing', 'completed', 'skipped', 'failed', 'cancelled')),
  progress double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  reason text,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (job_id, place)
);

-- Reports change leased_until, done and phase many times a second: none of them is in an index, and rows leave room, so that
-- such a change touches no index and finds its place beside the old row.
CREATE TABLE progress.tasks (
  task_id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL REFERENCES progress.jobs ON DELETE CASCADE,
  key text NOT NULL,
  step text NOT NULL,
  kind text NOT NULL,
  spec jsonb NOT NULL,
  share double precision NOT NULL,
  optional boolean NOT NULL,
  rank integer NOT NULL,
  -- Order of planning, where ranks are equal.
  place bigint GENERATED ALWAYS AS IDENTITY,
  -- Of its job, for the queue.
  priority smallint NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  -- Its job is pending: leasing it starts the job.
  starting boolean NOT NULL,
  status text NOT NULL CHECK (status IN ('waiting', 'ready', 'leased', 'done', 'failed', 'cancelled')),
  -- Tasks it waits for, and one more while its job is blocked.
  waiting_for integer NOT NULL,
  -- Not before.
  run_at timestamptz NOT NULL,
  -- Rises with every lease.
  fence integer NOT NULL DEFAULT 0,
  worker_id text,
  leased_until timestamptz,
  -- Told to stop at.
  stopping_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  lapses integer NOT NULL DEFAULT 0,
  -- 0..1, over all attempts.
  done double precision NOT NULL DEFAULT 0 CHECK (done BETWEEN 0 AND 1),
  phase text,
  result jsonb,
  UNIQUE (job_id, key),
  CHECK (status <> 'leased' OR (worker_id IS NOT NULL AND leased_until IS NOT NULL)),
  CHECK (status <> 'done' OR result IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX tasks_queue ON progress.tasks (priority, job_id, rank, place) WHERE status = 'ready';
CREATE INDEX tasks_leased ON progress.tasks (worker_id, task_id) WHERE status = 'leased';

CREATE TABLE progress.task_deps (
  task_id text COLLATE "C" NOT NULL REFERENCES progress.tasks ON DELETE CASCADE,
  place smallint NOT NULL,
  after_task_id text COLLATE "C" NOT NULL REFERENCES progress.tasks ON DELETE CASCADE,
  PRIMARY KEY (task_id, place)
);
CREATE INDEX task_deps_after ON progress.task_deps (after_task_id);

CREATE TABLE progress.attempts (
  task_id text COLLATE "C" NOT NULL REFERENCES progress.tasks ON DELETE CASCADE,
  fence integer NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  step text NOT NULL,
  worker_id text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text NOT NULL CHECK (outcome IN ('running', 'done', 'failed', 'stopped', 'returned', 'lapsed')),
  reason text,
  PRIMARY KEY (task_id, fence)
);
CREATE INDEX attempts_by_job ON progress.attempts (job_id, started_at);

-- Keys and prefixes of the media store to remove. Each is removed twice: a worker that lost its lease may still write a moment.
CREATE TABLE progress.cleanups (
  cleanup_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target text NOT NULL CHECK (target <> '' AND target <> '/'),
  -- Whether it is to be removed once more.
  again boolean NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL
);
CREATE INDEX cleanups_due ON progress.cleanups (due_at);

-- First answers of POSTs with an Idempotency-Key (@millrace/postgres, answer rows).
CREATE TABLE progress.idempotency (
  owner_id text COLLATE "C" NOT NULL,
  route text NOT NULL,
  key_sha256 text NOT NULL,
  body_sha256 text NOT NULL,
  status integer NOT NULL,
  sealed_answer text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, route, key_sha256)
);
CREATE INDEX idempotency_by_expiry ON progress.idempotency (expires_at);
