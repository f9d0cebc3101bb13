-- Administrators are told by mail when nothing more is posted to a webhook endpoint.

ALTER TYPE notification_kind ADD VALUE 'webhook_ended';
COMMENT ON TYPE notification_kind IS
    'To the customer: confirmation: the booking stands. reminder: it is near. cancellation: it was called off. '
    'reschedule: it was moved. pending: it waits for staff. declined: staff said no. expired: staff said nothing in time. '
    'booking_links: links of all bookings to come of an address, as its owner asked for. '
    'To staff and the business: staff_new: there is a booking. staff_pending: there is one to confirm. '
    'staff_moved, staff_cancelled: it was moved, called off. '
    'To an account: verify_email: a link that proves the address. password_reset: a link that sets a new password. '
    'set_password: a link that sets the first password of an account made for somebody. '
    'webhook_ended: to administrators: a webhook endpoint was disabled or is gone.';

ALTER TABLE notifications ADD COLUMN endpoint_id uuid REFERENCES webhook_endpoints ON DELETE SET NULL;
CREATE INDEX notifications_endpoint ON notifications (endpoint_id) WHERE endpoint_id IS NOT NULL;
COMMENT ON COLUMN notifications.endpoint_id IS
    'Of webhook_ended: the endpoint, null once it was removed; null for other kinds.';

-- A program that does not know the new kind cannot read the ledger.
UPDATE schema_compatibility SET min_app = greatest(min_app, 53);
