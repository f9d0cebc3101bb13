-- A business {scale} times as large as the smallest: 50 members of staff, 1,000 accounts and 10,000 bookings each time, the
-- bookings spread over 25 days before and after now, eight hours a day, so that a calendar is as full in each.
TRUNCATE settings, users, staff, services, customers, bookings, booking_events, notifications, idempotency_keys, queue.jobs CASCADE;
INSERT INTO settings (name, reply_to, sender, currency, zone, locale, public_url, updated_at)
VALUES ('Bench', 'bench@example.org', 'bench@example.org', 'EUR', 'Etc/UTC', 'en', 'http://localhost', clock_timestamp());
INSERT INTO staff (id, name, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Staff ' || n, clock_timestamp(), clock_timestamp()
FROM generate_series(1, 50 * {scale}) AS n;
INSERT INTO weekly_hours (staff_id, weekday, start_min, end_min)
SELECT id, day, 480, 1200 FROM staff CROSS JOIN generate_series(1, 7) AS day;
INSERT INTO services (id, name, duration_min, slot_step_min, price_minor, created_at, updated_at)
VALUES ('00000000-0000-7000-9000-000000000001', 'Haircut', 60, 30, 4500, clock_timestamp(), clock_timestamp());
INSERT INTO service_reminders (service_id, rule, kind, minutes) SELECT id, 1, 'offset', 1440 FROM services;
INSERT INTO service_staff (service_id, staff_id) SELECT services.id, staff.id FROM services CROSS JOIN staff;
INSERT INTO users (id, email, name, created_at, updated_at)
SELECT ('00000000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user' || n || '@example.org', 'User ' || n,
       clock_timestamp(), clock_timestamp()
FROM generate_series(1, 1000 * {scale}) AS n;
INSERT INTO customers (id, user_id, origin, email, name, created_at, updated_at)
SELECT id, id, 'account', email, name, created_at, updated_at FROM users;
-- Of each member of staff 200 bookings: four of the eight hours from 08:00 on, on each of 50 days.
INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone, local_start,
                      service_name, duration_min, price_minor, currency, ics_uid, created_at, updated_at)
SELECT b.id, services.id, b.staff_id, b.customer_id, CASE WHEN b.start < clock_timestamp() THEN 'completed' ELSE 'confirmed' END::booking_status,
       tstzrange(b.start, b.start + interval '1 hour'), tstzrange(b.start, b.start + interval '1 hour'), b.id, 1, 'Etc/UTC',
       b.start AT TIME ZONE 'UTC', services.name, 60, services.price_minor, 'EUR', b.id, clock_timestamp(), clock_timestamp()
FROM services CROSS JOIN (
    SELECT gen_random_uuid() AS id, staff.id AS staff_id,
           ('00000000-0000-7000-a000-' || lpad(to_hex(1 + (staff.place * 200 + day * 4 + hour) % (1000 * {scale})), 12, '0'))::uuid
               AS customer_id,
           date_trunc('day', clock_timestamp(), 'UTC') + (day - 25) * interval '1 day' + (8 + hour * 2) * interval '1 hour' AS start
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM staff) AS staff
    CROSS JOIN generate_series(0, 49) AS day CROSS JOIN generate_series(0, 3) AS hour
) AS b;
INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
SELECT id, 1, status, 'created', 'customer', created_at FROM bookings;
INSERT INTO notifications (id, booking_id, kind, rev, dedupe_key, recipient, locale, send_at, expires_at, enqueued_at, accepted_at,
                           outcome, outcome_at, created_at)
SELECT gen_random_uuid(), id, 'confirmation', 1, 'bench:' || id, 'guest@example.org', 'en', created_at, lower(during), created_at,
       created_at, 'sent', created_at, created_at
FROM bookings;
