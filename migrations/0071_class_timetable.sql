-- Services, such as classes, with a timetable of their own.

CREATE TABLE class_windows (
    service_id   uuid     NOT NULL REFERENCES services ON DELETE CASCADE,
    staff_id     uuid     NOT NULL REFERENCES staff ON DELETE CASCADE,
    weekday      smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    start_min    smallint NOT NULL CHECK (start_min BETWEEN 0 AND 1439),
    valid_from   date     NOT NULL,
    valid_until  date     CHECK (valid_until >= valid_from),
    PRIMARY KEY (service_id, staff_id, weekday, start_min, valid_from)
);
CREATE INDEX class_windows_staff ON class_windows (staff_id);
COMMENT ON TABLE  class_windows IS
    'Weekly starts of a service. A service that has any is offered at these starts alone, and no other service is offered then '
    'with the same member of staff.';
COMMENT ON COLUMN class_windows.service_id IS 'The service, whose duration and buffers apply.';
COMMENT ON COLUMN class_windows.staff_id IS 'Who performs it.';
COMMENT ON COLUMN class_windows.weekday IS 'Day of the start: 1 Monday to 7 Sunday (ISO 8601).';
COMMENT ON COLUMN class_windows.start_min IS 'Start, minute of the civil day in the business''s zone.';
COMMENT ON COLUMN class_windows.valid_from IS 'First date on which it takes place.';
COMMENT ON COLUMN class_windows.valid_until IS 'Last date on which it takes place; null: without end.';

CREATE TABLE class_dates (
    service_id   uuid        NOT NULL REFERENCES services ON DELETE CASCADE,
    staff_id     uuid        NOT NULL REFERENCES staff ON DELETE CASCADE,
    start_at     timestamptz NOT NULL,
    takes_place  boolean     NOT NULL,
    PRIMARY KEY (staff_id, service_id, start_at)
);
COMMENT ON TABLE  class_dates IS 'Single starts of a service that differ from its weekly ones.';
COMMENT ON COLUMN class_dates.service_id IS 'The service.';
COMMENT ON COLUMN class_dates.staff_id IS 'Who performs it.';
COMMENT ON COLUMN class_dates.start_at IS 'The start.';
COMMENT ON COLUMN class_dates.takes_place IS
    'True: a class in addition to the weekly ones, or one that was moved here. False: a class that was called off or moved away; it '
    'is not offered again.';
