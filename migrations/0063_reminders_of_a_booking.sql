-- Whoever books decides whether reminders are sent for this booking; the person's own choice applies as well.
ALTER TABLE bookings ADD COLUMN reminders boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN bookings.reminders IS
    'Whether reminders of this booking are wanted. None is sent either if the customer wants none at all (customers.reminders).';
