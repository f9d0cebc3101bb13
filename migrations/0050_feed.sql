-- The feed of what changed. Rows are read in the order of their transactions: a plain sequence would hide the row of a
-- transaction that drew its number first and committed last.

CREATE SEQUENCE change_ids;
COMMENT ON SEQUENCE change_ids IS 'Numbers of the rows that the feed reads, one for both of its tables.';

ALTER TABLE booking_events
    ADD COLUMN id  bigint NOT NULL DEFAULT nextval('change_ids'),
    ADD COLUMN xid xid8   NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX booking_events_feed ON booking_events (xid, id);
COMMENT ON COLUMN booking_events.id IS 'Number of the event in the feed; with xid its place there.';
COMMENT ON COLUMN booking_events.xid IS
    'The transaction that wrote the row. The feed reads only rows whose transaction, and all before it, have ended.';

CREATE TYPE catalogue_subject AS ENUM ('business', 'customer', 'service', 'staff');
COMMENT ON TYPE catalogue_subject IS
    'business: the settings row. customer, service, staff: the row of that table.';

CREATE TYPE catalogue_change AS ENUM ('created', 'updated', 'deleted');
COMMENT ON TYPE catalogue_change IS
    'created: the row was inserted. updated: the row was changed, also when a person was erased. '
    'deleted: the row was removed, such as a customer who was merged into another one.';

CREATE TABLE catalogue_events (
    id          bigint            PRIMARY KEY DEFAULT nextval('change_ids'),
    xid         xid8              NOT NULL DEFAULT pg_current_xact_id(),
    subject     catalogue_subject NOT NULL,
    subject_id  uuid              CHECK ((subject = 'business') = (subject_id IS NULL)),
    change      catalogue_change  NOT NULL,
    at          timestamptz       NOT NULL
);
CREATE INDEX catalogue_events_feed ON catalogue_events (xid, id);
CREATE INDEX catalogue_events_at ON catalogue_events (at);
COMMENT ON TABLE  catalogue_events IS
    'Changes of the business, its services, staff and customers, for the feed. Triggers write it, so that no path can miss it; '
    'only a removal is written by the statement that removes, as the row does not tell when.';
COMMENT ON COLUMN catalogue_events.id IS 'Number of the event in the feed; with xid its place there.';
COMMENT ON COLUMN catalogue_events.xid IS 'The transaction that wrote the row, as in booking_events.';
COMMENT ON COLUMN catalogue_events.subject IS 'What changed.';
COMMENT ON COLUMN catalogue_events.subject_id IS 'Its id; null for the business, of which there is one.';
COMMENT ON COLUMN catalogue_events.change IS 'How it changed.';
COMMENT ON COLUMN catalogue_events.at IS 'When: the row''s updated_at; of a removal the instant of its statement.';

CREATE FUNCTION note_catalogue_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalogue_events (subject, subject_id, change, at)
    VALUES (TG_ARGV[0]::catalogue_subject,
            CASE WHEN TG_ARGV[0] = 'business' THEN NULL ELSE (to_jsonb(NEW) ->> 'id')::uuid END,
            CASE TG_OP WHEN 'INSERT' THEN 'created' ELSE 'updated' END::catalogue_change,
            NEW.updated_at);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION note_catalogue_change() IS 'Writes the row of catalogue_events; its argument is the subject.';

-- A statement that only counts calendar_rev up is the lock of a calendar and no change of the catalogue.
CREATE TRIGGER settings_created AFTER INSERT ON settings
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change('business');
CREATE TRIGGER settings_updated AFTER UPDATE ON settings
    FOR EACH ROW WHEN (to_jsonb(NEW) - 'calendar_rev' IS DISTINCT FROM to_jsonb(OLD) - 'calendar_rev')
    EXECUTE FUNCTION note_catalogue_change('business');
CREATE TRIGGER services_created AFTER INSERT ON services
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change('service');
CREATE TRIGGER services_updated AFTER UPDATE ON services
    FOR EACH ROW WHEN (NEW IS DISTINCT FROM OLD) EXECUTE FUNCTION note_catalogue_change('service');
CREATE TRIGGER staff_created AFTER INSERT ON staff
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change('staff');
CREATE TRIGGER staff_updated AFTER UPDATE ON staff
    FOR EACH ROW WHEN (NEW.calendar_rev = OLD.calendar_rev OR NEW.rev <> OLD.rev OR NEW.updated_at <> OLD.updated_at)
    EXECUTE FUNCTION note_catalogue_change('staff');
CREATE TRIGGER customers_created AFTER INSERT ON customers
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change('customer');
CREATE TRIGGER customers_updated AFTER UPDATE ON customers
    FOR EACH ROW WHEN (NEW IS DISTINCT FROM OLD) EXECUTE FUNCTION note_catalogue_change('customer');

CREATE TABLE feed_floor (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    xid        xid8    NOT NULL DEFAULT '0',
    id         bigint  NOT NULL DEFAULT 0
);
INSERT INTO feed_floor DEFAULT VALUES;
COMMENT ON TABLE  feed_floor IS 'How far back the feed reaches: catalogue events up to here were removed.';
COMMENT ON COLUMN feed_floor.singleton IS 'Always true: the table has one row.';
COMMENT ON COLUMN feed_floor.xid IS 'Transaction of the last event that was removed.';
COMMENT ON COLUMN feed_floor.id IS 'Number of the last event that was removed.';
