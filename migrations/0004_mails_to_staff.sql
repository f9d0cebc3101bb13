-- Mails about bookings that staff confirm, and mails to staff and to the business.

ALTER TYPE notification_kind ADD VALUE 'pending';
ALTER TYPE notification_kind ADD VALUE 'declined';
ALTER TYPE notification_kind ADD VALUE 'expired';
ALTER TYPE notification_kind ADD VALUE 'staff_new';
ALTER TYPE notification_kind ADD VALUE 'staff_pending';
ALTER TYPE notification_kind ADD VALUE 'staff_moved';
ALTER TYPE notification_kind ADD VALUE 'staff_cancelled';
COMMENT ON TYPE notification_kind IS
    'To the customer: confirmation: the booking stands. reminder: it is near. cancellation: it was called off. '
    'reschedule: it was moved. pending: it waits for staff. declined: staff said no. expired: staff said nothing in time. '
    'To staff and the business: staff_new: there is a booking. staff_pending: there is one to confirm. '
    'staff_moved, staff_cancelled: it was moved, called off. '
    'To an account: verify_email: a link that proves the address. password_reset: a link that sets a new password. '
    'set_password: a link that sets the first password of an account made for somebody.';

ALTER TABLE notifications
    ADD COLUMN to_staff boolean NOT NULL DEFAULT false,
    ADD COLUMN staff_id uuid    REFERENCES staff,
    ADD CONSTRAINT notifications_staff CHECK (to_staff OR staff_id IS NULL);
COMMENT ON COLUMN notifications.to_staff IS
    'Whether it goes to staff or the business; what is done for the customer''s address or person leaves it alone.';
COMMENT ON COLUMN notifications.staff_id IS
    'The member of staff it goes to; null: it goes to the business if to_staff, else to the customer or the account.';

-- A program that does not know the new kinds cannot read the ledger.
UPDATE schema_compatibility SET min_app = 4;
