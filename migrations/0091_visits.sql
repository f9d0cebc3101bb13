-- Several services of one visit have one reminder on a day.

ALTER TABLE bookings ADD COLUMN visit_id uuid;
COMMENT ON COLUMN bookings.visit_id IS
    'The visit of several services in which it was booked: the id of the first of its bookings; null: it was booked by itself.';
CREATE INDEX bookings_visit ON bookings (visit_id) WHERE visit_id IS NOT NULL;
COMMENT ON INDEX bookings_visit IS 'The bookings of a visit.';

ALTER TABLE notifications ADD COLUMN covered_by uuid;
COMMENT ON COLUMN notifications.covered_by IS
    'Of a reminder: the reminder of another service of the same visit that was handed off and says the same; null: there is '
    'none. It is sent if that one was not.';

ALTER TYPE notification_outcome ADD VALUE 'covered';
COMMENT ON TYPE notification_outcome IS
    'sent: the relay answered 250. cancelled: the booking changed first. skipped_too_late: due before the booking was made. '
    'expired: not sent in time. failed: refused for good. in_doubt: it may have arrived; not sent again by itself. '
    'unwanted: a reminder to a customer who does not want any. covered: a reminder that another one of the same visit replaced.';

-- A program that does not know the new outcome cannot read the ledger.
UPDATE schema_compatibility SET min_app = greatest(min_app, 91);
