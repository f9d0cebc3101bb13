-- What the benchmark's domain is: 5,000 members of staff, each with a week from 09:00 to 17:00 UTC and one service of
-- an hour every half hour with a reminder a day before. Ids are counted, so that the driver knows them.
TRUNCATE settings, users, refresh_tokens, staff, services, service_reminders, service_staff, weekly_hours, date_overrides, closures, time_off, customers, bookings, booking_events, notifications, idempotency_keys, queue.jobs CASCADE;
INSERT INTO settings (name, reply_to, sender, currency, zone, locale, public_url, updated_at)
VALUES ('Bench', 'bench@example.org', 'bench@example.org', 'EUR', 'Etc/UTC', 'en', 'http://localhost', clock_timestamp());
INSERT INTO staff (id, name, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Staff ' || n, clock_timestamp(), clock_timestamp()
FROM generate_series(1, 5000) AS n;
INSERT INTO weekly_hours (staff_id, weekday, start_min, end_min)
SELECT id, day, 540, 1020 FROM staff CROSS JOIN generate_series(1, 7) AS day;
INSERT INTO services (id, name, duration_min, slot_step_min, price_minor, created_at, updated_at)
VALUES ('00000000-0000-7000-9000-000000000001', 'Haircut', 60, 30, 4500, clock_timestamp(), clock_timestamp());
INSERT INTO service_reminders (service_id, rule, kind, minutes) SELECT id, 1, 'offset', 1440 FROM services;
INSERT INTO service_staff (service_id, staff_id) SELECT services.id, staff.id FROM services CROSS JOIN staff;
ANALYZE settings, staff, weekly_hours, services, service_reminders, service_staff;
