-- A person without an account asks for the links of their bookings: one mail for an address.

ALTER TYPE notification_kind ADD VALUE 'booking_links';
COMMENT ON TYPE notification_kind IS
    'To the customer: confirmation: the booking stands. reminder: it is near. cancellation: it was called off. '
    'reschedule: it was moved. pending: it waits for staff. declined: staff said no. expired: staff said nothing in time. '
    'booking_links: links of all bookings to come of an address, as its owner asked for. '
    'To staff and the business: staff_new: there is a booking. staff_pending: there is one to confirm. '
    'staff_moved, staff_cancelled: it was moved, called off. '
    'To an account: verify_email: a link that proves the address. password_reset: a link that sets a new password. '
    'set_password: a link that sets the first password of an account made for somebody.';

ALTER TABLE notifications
    ADD COLUMN customer_id uuid REFERENCES customers,
    DROP CONSTRAINT notifications_check,
    ADD CONSTRAINT notifications_subject CHECK (num_nonnulls(booking_id, user_id, customer_id) >= 1);
COMMENT ON COLUMN notifications.customer_id IS
    'Of booking_links: one customer with the recipient''s address; null for other kinds.';

CREATE INDEX notifications_customer ON notifications (customer_id) WHERE customer_id IS NOT NULL;

-- A program that does not know the new kind cannot read the ledger.
UPDATE schema_compatibility SET min_app = greatest(min_app, 31);
