-- Accounts prove their address and set their password by links in mails.

ALTER TYPE notification_kind ADD VALUE 'verify_email';
ALTER TYPE notification_kind ADD VALUE 'password_reset';
ALTER TYPE notification_kind ADD VALUE 'set_password';
COMMENT ON TYPE notification_kind IS
    'confirmation: the booking stands. reminder: it is near. cancellation: it was called off. reschedule: it was moved. '
    'verify_email: a link that proves the address. password_reset: a link that sets a new password. '
    'set_password: a link that sets the first password of an account made for somebody.';

ALTER TABLE users ADD COLUMN link_epoch integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN users.link_epoch IS
    'Links that prove the address or set the password are of an epoch; + 1, as every new password does, voids them.';

CREATE INDEX notifications_user ON notifications (user_id, id) WHERE user_id IS NOT NULL;
COMMENT ON COLUMN notifications.rev IS 'The booking''s revision it speaks of; of a mail to an account the link epoch.';
COMMENT ON COLUMN notifications.dedupe_key IS
    'Subject, kind, rule and revision in one text: a mail is owed once. Of a mail to an account also a nonce: it may ask again.';
COMMENT ON COLUMN notifications.expires_at IS
    'From this instant on it is of no use and not sent; the link of a mail to an account ends with it.';

-- A program that does not know the new kinds cannot read the ledger.
UPDATE schema_compatibility SET min_app = greatest(min_app, 3);
