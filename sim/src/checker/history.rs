//! A booking equals its history, and its history contains every acknowledged change.

use sqlx::PgPool;

use super::{Acknowledged, Rule, Violation, always};

/// Rules of the history, each a query for violations.
pub(super) const RULES: &[Rule] = &[
    always(
        "a booking has not one event for each revision",
        "SELECT format('%s: revision %s, %s events up to %s', b.id, b.rev, count(e.rev), max(e.rev))
         FROM bookings b LEFT JOIN booking_events e ON e.booking_id = b.id
         WHERE $1::timestamptz IS NOT NULL
         GROUP BY b.id HAVING count(e.rev) <> b.rev OR min(e.rev) <> 1 OR max(e.rev) <> b.rev",
    ),
    always(
        "a booking is not what its last event says",
        "SELECT format('%s is %s, its event says %s', b.id, b.status, e.status)
         FROM bookings b JOIN booking_events e ON e.booking_id = b.id AND e.rev = b.rev
         WHERE b.status <> e.status AND $1::timestamptz IS NOT NULL",
    ),
    always(
        "a booking is not where its last move led",
        "SELECT DISTINCT ON (b.id) format('%s at %s with %s, led to %s', b.id, lower(b.during), b.staff_id, e.details -> 'to')
         FROM bookings b
         JOIN LATERAL (SELECT details FROM booking_events
                       WHERE booking_id = b.id AND details ? 'to' ORDER BY rev DESC LIMIT 1) e ON true
         WHERE $1::timestamptz IS NOT NULL
           AND ((e.details #>> '{to,start}')::timestamptz <> lower(b.during)
                OR (e.details #>> '{to,staff_id}')::uuid <> b.staff_id)",
    ),
    always(
        "a booking was led where it cannot go",
        "SELECT format('%s, revision %s: from %s to %s', booking_id, rev, before, status)
         FROM (SELECT booking_id, rev, status::text,
                      coalesce(lag(status::text) OVER (PARTITION BY booking_id ORDER BY rev), 'nothing') AS before
               FROM booking_events) AS step
         WHERE $1::timestamptz IS NOT NULL AND (before, status) NOT IN (
             ('nothing', 'held'), ('nothing', 'pending'), ('nothing', 'confirmed'), ('held', 'pending'),
             ('held', 'confirmed'), ('held', 'expired'), ('pending', 'pending'), ('pending', 'confirmed'),
             ('pending', 'declined'), ('pending', 'cancelled'), ('pending', 'expired'), ('confirmed', 'confirmed'),
             ('confirmed', 'pending'), ('confirmed', 'cancelled'), ('confirmed', 'completed'), ('confirmed', 'no_show'),
             ('completed', 'no_show'), ('no_show', 'completed'))",
    ),
    always(
        "an answer is stored of a booking that is not there, or none is stored",
        "SELECT format('%s %s', scope, key) FROM idempotency_keys k
         WHERE $1::timestamptz IS NOT NULL
           AND (response IS NULL
                OR (scope ~ '^(bookings|holds)\\.create:'
                    AND NOT EXISTS (SELECT FROM bookings WHERE id::text = k.response ->> 'id')))",
    ),
];

/// Number of rules in [`acknowledged`].
pub(super) const ACKNOWLEDGED: usize = 1;

/// Each acknowledged change is in the history with the same content.
pub(super) async fn acknowledged(
    pool: &PgPool,
    told: &[Acknowledged],
) -> Result<Vec<Violation>, sqlx::Error> {
    let ids: Vec<_> = told.iter().map(|told| told.booking_id).collect();
    let revs: Vec<_> = told.iter().map(|told| told.rev).collect();
    let statuses: Vec<_> = told.iter().map(|told| told.status.as_str()).collect();
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s, revision %s, %s', told.id, told.rev, told.status)
         FROM unnest($1::uuid[], $2::int[], $3::text[]) AS told (id, rev, status)
         LEFT JOIN booking_events e ON e.booking_id = told.id AND e.rev = told.rev
         WHERE e.status::text IS DISTINCT FROM told.status",
    )
    .bind(&ids)
    .bind(&revs)
    .bind(&statuses)
    .fetch_all(pool)
    .await?;
    let rule = "what a client was told has not happened";
    Ok(missing.into_iter().map(|what| Violation { rule, what }).collect())
}
