-- Bookings that repeat: each occurrence is a booking of its own.

CREATE TYPE series_unit AS ENUM ('days', 'weeks', 'months');
COMMENT ON TYPE series_unit IS
    'What the interval of a series counts, in civil time: days, weeks: dates. '
    'months: the same day of a later month, or its last day where it has no such day.';

CREATE TABLE series (
    id         uuid        PRIMARY KEY,
    every_n    smallint    NOT NULL CHECK (every_n BETWEEN 1 AND 366),
    every_unit series_unit NOT NULL,
    wanted     smallint    NOT NULL CHECK (wanted BETWEEN 2 AND 52),
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE series IS
    'Bookings that were made together to repeat. What each of them is about is on the booking; the person too.';
COMMENT ON COLUMN series.id IS 'UUIDv7.';
COMMENT ON COLUMN series.every_n IS 'From one occurrence to the next, in every_unit.';
COMMENT ON COLUMN series.every_unit IS 'What every_n counts.';
COMMENT ON COLUMN series.wanted IS 'Occurrences that were asked for. Those that were not free have no booking.';
COMMENT ON COLUMN series.created_at IS 'When it was made.';

ALTER TABLE bookings
    ADD COLUMN series_id    uuid REFERENCES series,
    ADD COLUMN series_no    smallint CHECK (series_no BETWEEN 1 AND 52),
    ADD COLUMN series_start timestamptz,
    ADD CONSTRAINT bookings_series_whole CHECK (num_nonnulls(series_id, series_no, series_start) IN (0, 3));
COMMENT ON COLUMN bookings.series_id IS 'The series it is an occurrence of; null: of none.';
COMMENT ON COLUMN bookings.series_no IS 'Its number in the series, from 1.';
COMMENT ON COLUMN bookings.series_start IS
    'The start that the series gave it. One that starts at another time was moved by itself: a move of the series leaves it.';
CREATE UNIQUE INDEX bookings_series ON bookings (series_id, series_no) WHERE series_id IS NOT NULL;
COMMENT ON INDEX bookings_series IS 'The occurrences of a series, each number once.';
