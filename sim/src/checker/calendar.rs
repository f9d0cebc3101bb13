//! A slot is sold once.

use super::{Rule, always};

/// Rules of the calendar, each a query for violations.
pub(super) const RULES: &[Rule] = &[
    always(
        "two appointments of one member of staff overlap",
        // Each class once; among spans in order, those that begin before an earlier one has ended.
        "WITH taken AS (
             SELECT DISTINCT staff_id, class_id, blocked FROM bookings WHERE status IN ('held', 'pending', 'confirmed')
         ), ordered AS (
             SELECT *, max(upper(blocked)) OVER (PARTITION BY staff_id ORDER BY lower(blocked), class_id
                                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
             FROM taken
         )
         SELECT format('staff %s, class %s at %s', staff_id, class_id, lower(blocked))
         FROM ordered WHERE before > lower(blocked) AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a room or a piece of equipment is used twice at once, or not for as long as its booking",
        "SELECT format('resource %s, bookings %s and %s', a.resource_id, a.booking_id, b.booking_id)
         FROM booking_resources a JOIN booking_resources b
              ON b.resource_id = a.resource_id AND b.booking_id > a.booking_id AND b.blocked && a.blocked
         WHERE a.blocks AND b.blocks AND a.class_id <> b.class_id AND $1::timestamptz IS NOT NULL
         UNION ALL
         SELECT format('booking %s', b.id) FROM booking_resources r JOIN bookings b ON b.id = r.booking_id
         WHERE (r.blocked, r.blocks, r.class_id) <> (b.blocked, b.blocks, b.class_id)",
    ),
    always(
        "two bookings sit on one seat",
        "SELECT format('class %s, seat %s', class_id, seat) FROM bookings
         CROSS JOIN LATERAL unnest(coalesce(all_seats, int4multirange(int4range(seat_no, seat_no, '[]')))) AS part
         CROSS JOIN LATERAL generate_series(lower(part), upper(part) - 1) AS seat
         WHERE status IN ('held', 'pending', 'confirmed') AND $1::timestamptz IS NOT NULL
         GROUP BY class_id, seat HAVING count(*) > 1",
    ),
    always(
        "a booking has not as many seats as it says, or its lowest is another",
        "SELECT b.id::text FROM bookings AS b
         WHERE $1::timestamptz IS NOT NULL AND b.all_seats IS NOT NULL
           AND (b.seat_no <> lower(b.all_seats)
                OR b.seats <> (SELECT sum(upper(part) - lower(part)) FROM unnest(b.all_seats) AS part))",
    ),
    always(
        "more seats of a class are booked than it has, or it is not at one time",
        "SELECT format('class %s: %s of %s seats', class_id, sum(b.seats), min(s.capacity))
         FROM bookings b JOIN services s ON s.id = b.service_id
         WHERE b.status IN ('held', 'pending', 'confirmed') AND $1::timestamptz IS NOT NULL
         GROUP BY class_id
         HAVING sum(b.seats) > min(s.capacity) OR count(DISTINCT (b.during, b.blocked, b.staff_id)) > 1",
    ),
    always(
        "an appointment is not as long as promised, or its wall time is not its start",
        "SELECT id::text FROM bookings
         WHERE $1::timestamptz IS NOT NULL
           AND (upper(during) - lower(during) <> duration_min * interval '1 minute' OR NOT blocked @> during
                OR lower(during) AT TIME ZONE zone <> local_start)",
    ),
    always(
        "a booking stands for nobody",
        "SELECT b.id::text FROM bookings b LEFT JOIN customers c ON c.id = b.customer_id
         WHERE b.status IN ('pending', 'confirmed') AND upper(b.during) > $1 AND (c.id IS NULL OR c.erased_at IS NOT NULL)",
    ),
];
