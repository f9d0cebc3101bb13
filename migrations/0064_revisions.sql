-- Whoever replaces these says on which revision the change is based, as for bookings, services and staff.
ALTER TABLE settings ADD COLUMN rev integer NOT NULL DEFAULT 1 CHECK (rev >= 1);
COMMENT ON COLUMN settings.rev IS 'Version of this row for If-Match; each change of the business adds one.';

ALTER TABLE staff ADD COLUMN hours_rev integer NOT NULL DEFAULT 1 CHECK (hours_rev >= 1);
COMMENT ON COLUMN staff.hours_rev IS 'Version of the weekly hours for If-Match; each replacement adds one.';

ALTER TABLE customers ADD COLUMN rev integer NOT NULL DEFAULT 1 CHECK (rev >= 1);
COMMENT ON COLUMN customers.rev IS 'Version of this row for If-Match; each change of the person''s details adds one.';

-- New weekly hours are no change of the person.
DROP TRIGGER staff_updated ON staff;
CREATE TRIGGER staff_updated AFTER UPDATE ON staff
    FOR EACH ROW WHEN (NEW.hours_rev = OLD.hours_rev
        AND (NEW.calendar_rev = OLD.calendar_rev OR NEW.rev <> OLD.rev OR NEW.updated_at <> OLD.updated_at))
    EXECUTE FUNCTION note_catalogue_change('staff');
