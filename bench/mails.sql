-- Confirmations that are owed, $1 of them, each of a booking of its own; on top of punctual.sql.
WITH wanted AS (
    SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS customer_id, s.id AS staff_id,
           date_trunc('day', clock_timestamp()) + interval '7 days' + interval '9 hours' + (n / 5000) * interval '1 hour' AS start
    FROM generate_series(0, $1::bigint - 1) AS n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM staff) AS s ON s.place = n % 5000
), people AS (
    INSERT INTO customers (id, origin, email, name, created_at, updated_at)
    SELECT customer_id, 'guest', 'guest' || n || '@d' || n % 50 || '.example.org', 'Guest ' || n, clock_timestamp(), clock_timestamp()
    FROM wanted
), booked AS (
    INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone, local_start,
                          service_name, duration_min, price_minor, currency, ics_uid, created_at, updated_at)
    SELECT wanted.id, services.id, staff_id, customer_id, 'confirmed', tstzrange(start, start + interval '1 hour'),
           tstzrange(start, start + interval '1 hour'), wanted.id, 1, 'Etc/UTC', start AT TIME ZONE 'UTC', services.name, 60,
           services.price_minor, 'EUR', wanted.id, clock_timestamp(), clock_timestamp()
    FROM wanted CROSS JOIN services
)
INSERT INTO notifications (id, booking_id, kind, rev, dedupe_key, recipient, locale, send_at, expires_at, created_at)
SELECT gen_random_uuid(), id, 'confirmation', 1, 'bench:' || id, 'guest' || n || '@d' || n % 50 || '.example.org', 'en',
       clock_timestamp(), start, clock_timestamp()
FROM wanted
