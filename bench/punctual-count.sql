-- Bookings that stand with all that is committed with them: their audit event, confirmation, its job, reminder and the
-- stored answer of their idempotency key.
SELECT count(*) FROM bookings AS b
WHERE status = 'confirmed'
  AND EXISTS (SELECT FROM booking_events AS e WHERE e.booking_id = b.id AND e.rev = 1)
  AND EXISTS (SELECT FROM notifications AS n JOIN queue.jobs AS j ON j.unique_key = n.id::text
              WHERE n.booking_id = b.id AND n.kind = 'confirmation')
  AND EXISTS (SELECT FROM notifications AS n WHERE n.booking_id = b.id AND n.kind = 'reminder')
  AND b.id IN (SELECT (response ->> 'id')::uuid FROM idempotency_keys)
