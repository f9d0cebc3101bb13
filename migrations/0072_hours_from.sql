-- Weekly hours from a date on, and closures of a part of a day.

ALTER TABLE weekly_hours ADD COLUMN valid_from date NOT NULL DEFAULT '0001-01-01';
ALTER TABLE weekly_hours
    DROP CONSTRAINT weekly_hours_pkey,
    ADD PRIMARY KEY (staff_id, valid_from, weekday, start_min);
COMMENT ON COLUMN weekly_hours.valid_from IS
    'The week it belongs to: 0001-01-01 is the first one, others begin on a date of later_weeks.';

CREATE TABLE later_weeks (
    staff_id    uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    valid_from  date NOT NULL CHECK (valid_from > '0001-01-01'),
    PRIMARY KEY (staff_id, valid_from)
);
COMMENT ON TABLE  later_weeks IS
    'Weekly hours that replace the ones before from a date on. The windows are in weekly_hours; none: no hours from then on.';
COMMENT ON COLUMN later_weeks.staff_id IS 'Whose hours.';
COMMENT ON COLUMN later_weeks.valid_from IS 'First date, in the business''s zone, on which they apply.';

ALTER TABLE closures
    ADD COLUMN start_min smallint CHECK (start_min BETWEEN 0 AND 1439),
    ADD COLUMN end_min   smallint CHECK (end_min BETWEEN 1 AND 1440),
    ADD CHECK ((start_min IS NULL) = (end_min IS NULL)),
    ADD CHECK (start_min < end_min);
COMMENT ON TABLE  closures IS 'Civil dates on which the whole business is closed, all day or for a part of it.';
COMMENT ON COLUMN closures.start_min IS 'Closed from this minute of the civil day; null: all day.';
COMMENT ON COLUMN closures.end_min IS 'Closed until this minute of the same day, 1440 is 24:00; null: all day.';
