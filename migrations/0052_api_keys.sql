-- API keys: programs with rights of their own.

ALTER TYPE actor_kind ADD VALUE 'api_key';
COMMENT ON TYPE actor_kind IS
    'customer, staff, admin: an account. guest: somebody without one, or the holder of a link. system: Punctual itself. '
    'api_key: a program with an API key.';
COMMENT ON COLUMN booking_events.actor_id IS
    'Their account, or the API key; null for guests and the system.';
COMMENT ON COLUMN bookings.held_by IS
    'Who holds the slot: the id of an account or an API key, or a keyed hash of a guest''s network address. Null unless it is a hold.';

CREATE TABLE api_keys (
    id            uuid        PRIMARY KEY,
    name          text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    secret_sha256 bytea       NOT NULL CHECK (length(secret_sha256) = 32),
    scopes        text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 20),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    created_at    timestamptz NOT NULL
);
COMMENT ON TABLE  api_keys IS 'Keys of programs that use the API without an account. Rows stay after a key has ended: the audit trail names them.';
COMMENT ON COLUMN api_keys.id IS 'UUIDv7 from the process; a part of the key.';
COMMENT ON COLUMN api_keys.name IS 'What it is for, in the words of who made it.';
COMMENT ON COLUMN api_keys.secret_sha256 IS 'SHA-256 of the key''s secret, which is 32 random bytes and stored nowhere.';
COMMENT ON COLUMN api_keys.scopes IS 'What it may do: areas with read or write, such as bookings:read.';
COMMENT ON COLUMN api_keys.expires_at IS 'From when on it is refused; null: never.';
COMMENT ON COLUMN api_keys.last_used_at IS 'When it was last used, exact to a minute; null: never.';
COMMENT ON COLUMN api_keys.revoked_at IS 'From when on it is refused because an administrator ended it; null: it was not.';
COMMENT ON COLUMN api_keys.created_at IS 'When it was made.';

-- A program that does not know the new kind of actor cannot read the audit trail.
UPDATE schema_compatibility SET min_app = greatest(min_app, 52);
