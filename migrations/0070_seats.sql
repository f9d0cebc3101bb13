-- Several seats of a class in one booking.

ALTER TABLE bookings
    ADD COLUMN seats integer NOT NULL DEFAULT 1 CHECK (seats BETWEEN 1 AND 500),
    ADD COLUMN all_seats int4multirange,
    ADD CHECK ((seats = 1) = (all_seats IS NULL)) NOT VALID,
    ADD CONSTRAINT bookings_seats EXCLUDE USING gist
        (class_id WITH =, coalesce(all_seats, int4multirange(int4range(seat_no, seat_no, '[]'))) WITH &&)
        WHERE (blocks AND class_id <> id);
COMMENT ON TABLE  bookings IS 'One or more seats of one appointment.';
COMMENT ON COLUMN bookings.seat_no IS 'Its lowest seat within the class, from 1.';
COMMENT ON COLUMN bookings.seats IS 'How many seats of the class it takes; 1 for a one-to-one service.';
COMMENT ON COLUMN bookings.all_seats IS 'The numbers of its seats within the class, seat_no included; null: seat_no alone.';
COMMENT ON COLUMN bookings.price_minor IS 'Price of all its seats in minor units as promised.';
COMMENT ON CONSTRAINT bookings_seats ON bookings IS
    'A seat of a class is taken once. A one-to-one booking is a class of its own (class_id = id) and needs no check.';

-- What a list of slots reads, with the number of seats.
DROP INDEX bookings_calendar;
CREATE INDEX bookings_calendar ON bookings (staff_id, lower(during))
    INCLUDE (id, class_id, during, blocked, hold_expires_at, seats) WHERE blocks;

CREATE FUNCTION free_seats(class uuid, capacity integer, skipped integer, wanted integer, own uuid)
RETURNS int4multirange LANGUAGE plpgsql STABLE AS $$
DECLARE
    taken int4multirange;
    found int4multirange;
BEGIN
    SELECT coalesce(range_agg(coalesce(b.all_seats, int4multirange(int4range(b.seat_no, b.seat_no, '[]')))), '{}') INTO taken
    FROM bookings AS b
    WHERE (b.class_id, b.seat_no) BETWEEN (class, 1) AND (class, capacity) AND b.blocks AND b.id IS DISTINCT FROM own;
    SELECT range_agg(int4range(free.seat, free.seat, '[]')) INTO found
    FROM (SELECT seat FROM generate_series(1, capacity) AS seat WHERE NOT taken @> seat
          ORDER BY seat OFFSET skipped LIMIT wanted) AS free
    HAVING count(*) = wanted;
    RETURN coalesce(found, int4multirange(int4range(1, capacity, '[]')));
END $$;
COMMENT ON FUNCTION free_seats(uuid, integer, integer, integer, uuid) IS
    'The lowest free seats of a class, after as many that are skipped: rows of the same statement take these. The seats of the '
    'booking own count as free. Where there are too few, all seats: the constraint bookings_seats refuses them.';
