-- One mail about several appointments that were booked, moved or cancelled together.

ALTER TYPE notification_kind ADD VALUE 'appointments_booked';
ALTER TYPE notification_kind ADD VALUE 'appointments_moved';
ALTER TYPE notification_kind ADD VALUE 'appointments_cancelled';
ALTER TYPE notification_kind ADD VALUE 'staff_appointments_booked';
ALTER TYPE notification_kind ADD VALUE 'staff_appointments_moved';
ALTER TYPE notification_kind ADD VALUE 'staff_appointments_cancelled';
COMMENT ON TYPE notification_kind IS
    'To the customer: confirmation: the booking stands. reminder: it is near. cancellation: it was called off. '
    'reschedule: it was moved. pending: it waits for staff. declined: staff said no. expired: staff said nothing in time. '
    'appointments_booked, appointments_moved, appointments_cancelled: several were, together. '
    'booking_links: links of all bookings to come of an address, as its owner asked for. '
    'To staff and the business: staff_new: there is a booking. staff_pending: there is one to confirm. '
    'staff_moved, staff_cancelled: it was moved, called off. '
    'staff_appointments_booked, staff_appointments_moved, staff_appointments_cancelled: several were, together. '
    'To an account: verify_email: a link that proves the address. password_reset: a link that sets a new password. '
    'set_password: a link that sets the first password of an account made for somebody. '
    'webhook_ended: to administrators: a webhook endpoint was disabled or is gone.';

ALTER TABLE notifications ADD COLUMN booking_ids uuid[];
COMMENT ON COLUMN notifications.booking_ids IS
    'Of a mail about several bookings: all of them, that of booking_id too; null for other mails. The mail shows those of '
    'which it is true when it is sent.';
CREATE INDEX notifications_of_several ON notifications USING gin (booking_ids) WHERE booking_ids IS NOT NULL;
COMMENT ON INDEX notifications_of_several IS 'The mails about several bookings, by booking.';

-- A program that does not know the new kinds cannot read the ledger.
UPDATE schema_compatibility SET min_app = greatest(min_app, 86);
