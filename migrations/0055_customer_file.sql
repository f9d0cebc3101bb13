-- Customers as staff know them: also those without an e-mail address, with a note, and bookings for somebody else.

ALTER TABLE customers
    DROP CONSTRAINT customers_check,
    ADD CONSTRAINT customers_reachable CHECK (erased_at IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL),
    ADD COLUMN note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000);
COMMENT ON COLUMN customers.email IS
    'Where mails go; null once erased, and for somebody who has only a phone number: they get no mails.';
COMMENT ON COLUMN customers.note IS
    'What staff keep in mind about this person, such as allergies. Only staff and the person''s own export show it; empty once erased.';

-- Staff who book by phone give a name and a number: it is looked for among those without an address.
CREATE INDEX customers_by_phone_only ON customers (lower(name)) WHERE email IS NULL AND erased_at IS NULL;

ALTER TABLE bookings
    ADD COLUMN for_whom text CHECK (length(for_whom) BETWEEN 1 AND 200);
COMMENT ON COLUMN bookings.for_whom IS
    'Who comes in the customer''s place, such as a child or partner; null: the customer. Null once the customer was erased.';

ALTER TABLE settings
    ADD COLUMN country char(2) CHECK (country ~ '^[A-Z]{2}$');
COMMENT ON COLUMN settings.country IS
    'ISO 3166-1 code of the business''s country, by which phone numbers without a country code are read; null: such numbers stay as written.';
