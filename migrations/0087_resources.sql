-- Rooms and equipment that services need, beside a member of staff.

CREATE TABLE resources (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind         text        NOT NULL CHECK (length(kind) BETWEEN 1 AND 200),
    active       boolean     NOT NULL DEFAULT true,
    calendar_rev bigint      NOT NULL DEFAULT 0,
    rev          integer     NOT NULL DEFAULT 1 CHECK (rev >= 1),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
COMMENT ON TABLE resources IS 'Rooms and equipment. One is used by one appointment at a time, or by the seats of one class.';
COMMENT ON COLUMN resources.id IS 'UUIDv7.';
COMMENT ON COLUMN resources.name IS 'Name, for staff.';
COMMENT ON COLUMN resources.kind IS 'What it is, such as "treatment room": a service can need any one of a kind.';
COMMENT ON COLUMN resources.active IS 'False: no new bookings get it.';
COMMENT ON COLUMN resources.calendar_rev IS 'Rises with each change of when it is used: a slot list that depends on it is then outdated.';
COMMENT ON COLUMN resources.rev IS 'Version of this row for If-Match.';
COMMENT ON COLUMN resources.created_at IS 'When it was added.';
COMMENT ON COLUMN resources.updated_at IS 'Last change.';

CREATE TABLE service_resources (
    service_id  uuid     NOT NULL REFERENCES services,
    no          smallint NOT NULL CHECK (no BETWEEN 1 AND 5),
    resource_id uuid     REFERENCES resources,
    kind        text     CHECK (length(kind) BETWEEN 1 AND 200),
    PRIMARY KEY (service_id, no),
    CHECK (num_nonnulls(resource_id, kind) = 1)
);
COMMENT ON TABLE service_resources IS 'What a service needs, each for the whole time that its booking blocks, buffers included.';
COMMENT ON COLUMN service_resources.service_id IS 'The service.';
COMMENT ON COLUMN service_resources.no IS 'Number of the need within the service; those of one resource first.';
COMMENT ON COLUMN service_resources.resource_id IS 'This very resource; null if any one of a kind will do.';
COMMENT ON COLUMN service_resources.kind IS 'Any one of this kind; null if it is a very resource.';

CREATE TABLE resource_outages (
    id          uuid      PRIMARY KEY,
    resource_id uuid      NOT NULL REFERENCES resources,
    during      tstzrange NOT NULL CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
    reason      text      NOT NULL DEFAULT '' CHECK (length(reason) <= 200)
);
COMMENT ON TABLE resource_outages IS 'When a resource is out of service.';
COMMENT ON COLUMN resource_outages.id IS 'UUIDv7.';
COMMENT ON COLUMN resource_outages.resource_id IS 'The resource.';
COMMENT ON COLUMN resource_outages.during IS 'From when until when, excluded.';
COMMENT ON COLUMN resource_outages.reason IS 'Why, for staff; may be empty.';
CREATE INDEX resource_outages_resource ON resource_outages (resource_id, lower(during));
COMMENT ON INDEX resource_outages_resource IS 'The outages of a resource by start.';

CREATE TABLE booking_resources (
    booking_id  uuid      NOT NULL REFERENCES bookings ON DELETE CASCADE,
    resource_id uuid      NOT NULL REFERENCES resources,
    class_id    uuid      NOT NULL,
    blocked     tstzrange NOT NULL,
    blocks      boolean   NOT NULL,
    PRIMARY KEY (booking_id, resource_id),
    CONSTRAINT booking_resources_no_overlap
        EXCLUDE USING gist (resource_id WITH =, blocked WITH &&, class_id WITH <>) WHERE (blocks)
);
COMMENT ON TABLE booking_resources IS 'Which resources a booking uses. The seats of one class share theirs.';
COMMENT ON COLUMN booking_resources.booking_id IS 'The booking.';
COMMENT ON COLUMN booking_resources.resource_id IS 'The resource.';
COMMENT ON COLUMN booking_resources.class_id IS 'As in the booking.';
COMMENT ON COLUMN booking_resources.blocked IS 'As in the booking: the appointment with its buffers.';
COMMENT ON COLUMN booking_resources.blocks IS 'As in the booking: whether it takes the time.';
CREATE INDEX booking_resources_time ON booking_resources (resource_id, upper(blocked)) WHERE blocks;
COMMENT ON INDEX booking_resources_time IS 'When a resource is used from an instant on.';

-- What a booking says of its time is what its resources say: no path that changes one can forget the other.
CREATE FUNCTION follow_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM booking_resources WHERE booking_id = NEW.id) THEN
        UPDATE booking_resources SET class_id = NEW.class_id, blocked = NEW.blocked, blocks = NEW.blocks
        WHERE booking_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION follow_booking() IS 'Copies class, time and whether it blocks from a booking to its resources.';
CREATE TRIGGER bookings_resources AFTER UPDATE ON bookings
    FOR EACH ROW WHEN (NEW.blocks <> OLD.blocks OR NEW.blocked <> OLD.blocked OR NEW.class_id <> OLD.class_id)
    EXECUTE FUNCTION follow_booking();

-- Locks in the order of ids: whoever changes the use of several resources at once cannot block another who does.
CREATE FUNCTION note_use_of_resources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM resources WHERE id IN (SELECT resource_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE resources SET calendar_rev = calendar_rev + 1 WHERE id IN (SELECT resource_id FROM changed);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION note_use_of_resources() IS 'Raises calendar_rev of the resources whose use changed.';
CREATE TRIGGER booking_resources_inserted AFTER INSERT ON booking_resources
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_use_of_resources();
CREATE TRIGGER booking_resources_updated AFTER UPDATE ON booking_resources
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_use_of_resources();
CREATE TRIGGER booking_resources_deleted AFTER DELETE ON booking_resources
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_use_of_resources();
