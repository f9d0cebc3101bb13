-- Webhooks: where events of the feed are delivered, and how each delivery went.

CREATE TYPE webhook_status AS ENUM ('active', 'paused', 'disabled', 'gone');
COMMENT ON TYPE webhook_status IS
    'active: events are delivered. paused: an administrator stopped it. disabled: it failed for five days. gone: it answered 410. '
    'Only active endpoints move on in the feed; the others keep their place in it.';

CREATE TABLE webhook_endpoints (
    id                uuid           PRIMARY KEY,
    url               text           NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    description       text           NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    types             text[]         NOT NULL DEFAULT '{}' CHECK (cardinality(types) <= 50),
    include_customer  boolean        NOT NULL DEFAULT false,
    status            webhook_status NOT NULL DEFAULT 'active',
    cursor_xid        xid8           NOT NULL,
    cursor_id         bigint         NOT NULL,
    key_name          text           NOT NULL CHECK (length(key_name) BETWEEN 1 AND 32),
    secret_epoch      integer        NOT NULL DEFAULT 0 CHECK (secret_epoch >= 0),
    previous_key_name text           CHECK (length(previous_key_name) BETWEEN 1 AND 32),
    rotated_at        timestamptz,
    failing_since     timestamptz,
    rev               integer        NOT NULL DEFAULT 1 CHECK (rev >= 1),
    created_at        timestamptz    NOT NULL,
    updated_at        timestamptz    NOT NULL,
    CHECK ((previous_key_name IS NULL) = (rotated_at IS NULL))
);
CREATE INDEX webhook_endpoints_active ON webhook_endpoints (cursor_xid, cursor_id) WHERE status = 'active';
COMMENT ON TABLE  webhook_endpoints IS 'Programs that want to be told of events.';
COMMENT ON COLUMN webhook_endpoints.id IS 'UUIDv7 from the process.';
COMMENT ON COLUMN webhook_endpoints.url IS 'Where events are posted: https, or http into a network the operator allows.';
COMMENT ON COLUMN webhook_endpoints.description IS 'What it is for, in the words of who made it.';
COMMENT ON COLUMN webhook_endpoints.types IS 'Event types that are delivered; empty: all.';
COMMENT ON COLUMN webhook_endpoints.include_customer IS 'Whether the name and contact of a booking''s customer are delivered with it.';
COMMENT ON COLUMN webhook_endpoints.status IS 'Whether events are delivered.';
COMMENT ON COLUMN webhook_endpoints.cursor_xid IS 'Place in the feed: transaction of the last event that has its delivery.';
COMMENT ON COLUMN webhook_endpoints.cursor_id IS 'Place in the feed: number of the last event that has its delivery.';
COMMENT ON COLUMN webhook_endpoints.key_name IS 'Name of the link key that the secret is derived with; that key must be kept until the secret is rotated.';
COMMENT ON COLUMN webhook_endpoints.secret_epoch IS 'Generation of the secret; rotation adds one.';
COMMENT ON COLUMN webhook_endpoints.previous_key_name IS 'Name of the link key of the generation before; null: never rotated.';
COMMENT ON COLUMN webhook_endpoints.rotated_at IS 'When the secret was last rotated: for 24 hours both generations sign.';
COMMENT ON COLUMN webhook_endpoints.failing_since IS 'First failure since the last success; null: the last delivery succeeded.';
COMMENT ON COLUMN webhook_endpoints.rev IS 'Version for If-Match.';
COMMENT ON COLUMN webhook_endpoints.created_at IS 'When it was made.';
COMMENT ON COLUMN webhook_endpoints.updated_at IS 'Last change by a person, or by the worker when it ends.';

CREATE TYPE delivery_status AS ENUM ('pending', 'delivered', 'failed');
COMMENT ON TYPE delivery_status IS
    'pending: its job is still to succeed. delivered: answered with 2xx. failed: given up after the last attempt, or stopped; it can be replayed.';

CREATE TABLE webhook_deliveries (
    id           uuid            PRIMARY KEY,
    endpoint_id  uuid            NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id     bigint          NOT NULL,
    event_type   text            NOT NULL CHECK (event_type ~ '^[a-z_]+\.[a-z_]+$'),
    booking_id   uuid,
    booking_rev  integer,
    status       delivery_status NOT NULL DEFAULT 'pending',
    attempts     integer         NOT NULL DEFAULT 0,
    answer_code  integer         CHECK (answer_code BETWEEN 100 AND 999),
    answer       text            CHECK (length(answer) <= 1024),
    error        text            CHECK (length(error) <= 200),
    took_ms      integer         CHECK (took_ms >= 0),
    attempted_at timestamptz,
    created_at   timestamptz     NOT NULL,
    CONSTRAINT webhook_deliveries_once UNIQUE (endpoint_id, event_id),
    CHECK ((booking_id IS NULL) = (booking_rev IS NULL))
);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, created_at, id);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at) WHERE status <> 'pending';
COMMENT ON TABLE  webhook_deliveries IS 'One event for one endpoint: what is to be delivered and how the last attempt went. Ended ones are kept for 30 days.';
COMMENT ON COLUMN webhook_deliveries.id IS 'UUIDv7 from the process; the unique key of its job.';
COMMENT ON COLUMN webhook_deliveries.endpoint_id IS 'Where to.';
COMMENT ON COLUMN webhook_deliveries.event_id IS 'The event''s number in the feed; its webhook-id on every attempt and replay.';
COMMENT ON COLUMN webhook_deliveries.event_type IS 'The event''s type.';
COMMENT ON COLUMN webhook_deliveries.booking_id IS 'The booking of a booking''s event.';
COMMENT ON COLUMN webhook_deliveries.booking_rev IS 'The revision that event is of.';
COMMENT ON COLUMN webhook_deliveries.status IS 'How it stands.';
COMMENT ON COLUMN webhook_deliveries.attempts IS 'How often it was posted, replays included.';
COMMENT ON COLUMN webhook_deliveries.answer_code IS 'HTTP status of the last answer; null: there was none.';
COMMENT ON COLUMN webhook_deliveries.answer IS 'Beginning of the last answer''s body, at most 1 KB, for administrators only.';
COMMENT ON COLUMN webhook_deliveries.error IS 'Why the last attempt failed; null: it succeeded or was not made.';
COMMENT ON COLUMN webhook_deliveries.took_ms IS 'Milliseconds of the last attempt.';
COMMENT ON COLUMN webhook_deliveries.attempted_at IS 'When the last attempt was made.';
COMMENT ON COLUMN webhook_deliveries.created_at IS 'When the event was taken from the feed.';
