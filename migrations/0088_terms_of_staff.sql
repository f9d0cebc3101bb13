-- A member of staff may take another time for a service, at another price.

ALTER TABLE service_staff
    ADD COLUMN duration_min integer CHECK (duration_min BETWEEN 5 AND 1440),
    ADD COLUMN price_minor  bigint  CHECK (price_minor BETWEEN 0 AND 1000000000);
COMMENT ON COLUMN service_staff.duration_min IS 'Duration with this member of staff in elapsed minutes; null: the service''s.';
COMMENT ON COLUMN service_staff.price_minor IS
    'Price with this member of staff in minor units of the business''s currency; null: the service''s.';
