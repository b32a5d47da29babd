-- Where owners want to be told of the ends of their jobs, and what is to be told.
CREATE TABLE progress.webhooks (
  webhook_id text COLLATE "C" PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL CHECK (cardinality(events) > 0),
  -- Of everybody's jobs; for admins.
  all_owners boolean NOT NULL,
  -- Signs what is sent; sealed with PROGRESS_WEBHOOK_SECRET where that is set.
  secret text NOT NULL,
  created_at timestamptz NOT NULL,
  -- The receiver said 410 Gone, or its owner did.
  disabled_at timestamptz
);
CREATE INDEX webhooks_by_owner ON progress.webhooks (owner_id, webhook_id);
CREATE INDEX webhooks_of_all ON progress.webhooks (webhook_id) WHERE all_owners;

CREATE TABLE progress.webhook_deliveries (
  -- The id that receivers know repeats by: it stays the same over all tries.
  delivery_id text COLLATE "C" PRIMARY KEY,
  webhook_id text COLLATE "C" NOT NULL REFERENCES progress.webhooks ON DELETE CASCADE,
  -- The fact that it tells of: a fact that is read again makes no second delivery.
  event_id text NOT NULL,
  type text NOT NULL,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  tries integer NOT NULL DEFAULT 0,
  try_at timestamptz NOT NULL,
  last_status integer,
  last_error text,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON progress.webhook_deliveries (try_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_webhook ON progress.webhook_deliveries (webhook_id, delivery_id);
CREATE INDEX webhook_deliveries_finished ON progress.webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
