-- Sessions have an age of their own, however often they are refreshed, and can be listed.

ALTER TABLE refresh_tokens ADD COLUMN session_started_at timestamptz;
COMMENT ON COLUMN refresh_tokens.session_started_at IS
    'When the login was that this token descends from; null: written by a release before this column, created_at stands in.';

UPDATE refresh_tokens t
SET session_started_at = (SELECT min(o.created_at) FROM refresh_tokens o WHERE o.family_id = t.family_id);

-- Asked before every write: whether a session still has a token that can be exchanged.
CREATE INDEX refresh_tokens_live ON refresh_tokens (family_id) WHERE spent_at IS NULL AND revoked_at IS NULL;
