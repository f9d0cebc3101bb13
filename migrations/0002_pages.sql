-- What the pages for people need: a say about reminders, a calendar to subscribe to, and how long persons are kept.

ALTER TABLE customers
    ADD COLUMN reminders  boolean NOT NULL DEFAULT true,
    ADD COLUMN link_epoch integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN customers.reminders IS 'Whether this person wants reminders; other mails are not theirs to turn off.';
COMMENT ON COLUMN customers.link_epoch IS 'Unsubscribe links in mails carry it; + 1 revokes them.';

ALTER TABLE staff
    ADD COLUMN feed_epoch integer NOT NULL DEFAULT 0 CHECK (feed_epoch >= 0);
COMMENT ON COLUMN staff.feed_epoch IS 'The address of the calendar feed carries it; 0: there is none, + 1 revokes the one there was.';

ALTER TABLE settings
    ADD COLUMN retention_days integer CHECK (retention_days BETWEEN 1 AND 36500);
COMMENT ON COLUMN settings.retention_days IS
    'Customers are erased so many days after their last appointment ended; null: they are kept until somebody erases them.';

ALTER TYPE notification_outcome ADD VALUE 'unwanted';
COMMENT ON TYPE notification_outcome IS
    'sent: the relay answered 250. cancelled: the booking changed first. skipped_too_late: due before the booking was made. '
    'expired: too late to be of use. failed: refused for good. in_doubt: the relay may or may not have taken it, and it is not sent again. '
    'unwanted: a reminder that its customer does not want; planned again when they do.';

-- Whose appointments ended long ago, for the retention job.
CREATE INDEX customers_kept ON customers (created_at) WHERE erased_at IS NULL;

-- Programs of before do not know the outcome 'unwanted'.
UPDATE schema_compatibility SET min_app = 2;
