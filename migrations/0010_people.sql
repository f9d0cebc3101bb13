-- One person is one customer. A booking keeps the contact details it was made with where they differ from the customer's,
-- so that nobody changes or learns what another person wrote by giving the same address.

ALTER TABLE customers
    ADD COLUMN separate boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN customers.separate IS
    'Whether staff said that this person shares the address with others and is a customer of their own.';

ALTER TABLE bookings
    ADD COLUMN contact_name  text CHECK (length(contact_name) <= 200),
    ADD COLUMN contact_phone text CHECK (length(contact_phone) <= 40),
    ADD COLUMN held_by       text CHECK (length(held_by) <= 100);
COMMENT ON COLUMN bookings.contact_name IS
    'Name given for this booking where name or phone differ from the customer''s; null: the customer''s name and phone apply.';
COMMENT ON COLUMN bookings.contact_phone IS 'Phone number given with contact_name; null: none was given.';
COMMENT ON COLUMN bookings.held_by IS
    'Who holds the slot: an account''s id, or a keyed hash of a guest''s network address. Null unless it is a hold.';

-- How many minutes one account or address holds.
CREATE INDEX bookings_held_by ON bookings (held_by) WHERE status = 'held';

COMMENT ON COLUMN notifications.dot_at IS
    'When the mail was handed off: committed before the message is sent after SMTP DATA, cleared when the relay refuses it. '
    'Programs call it handed_off_at; the column keeps its name so that programs of two releases can run at once.';
