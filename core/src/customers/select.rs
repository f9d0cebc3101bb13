//! The one place where columns become a [`Customer`](super::Customer).

/// A query of [`super::ExportedCustomer`]s `c`: what the `FROM` names `c` is a table or a subquery, and what follows is the
/// caller's. A page of a list is a subquery with its LIMIT, so that visits are counted for its rows only.
macro_rules! select_customers {
    ($from:tt $tail:tt $(, $value:expr)* $(,)?) => {
        sqlx::query!(
            r#"SELECT c.id, c.user_id, c.email::text AS "email: crate::types::EmailAddress",
                      nullif(c.name, '') AS "name: crate::types::PersonName", c.phone AS "phone: crate::types::Phone",
                      c.locale AS "locale: crate::types::Locale", c.zone AS "zone: crate::types::Zone",
                      c.note AS "note!: crate::types::Note", c.rev AS "rev!: crate::types::Rev", c.reminders AS "reminders!", c.created_at AS "created_at!",
                      c.updated_at AS "updated_at!", settings.country AS "country?: crate::types::Country",
                      visits.completed AS "completed!", visits.no_shows AS "no_shows!", visits.cancelled AS "cancelled!",
                      visits.last_at, visits.next_at
               FROM "# + $from + r#" AS c
               LEFT JOIN settings ON true
               CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE b.status = 'completed') AS completed,
                          count(*) FILTER (WHERE b.status = 'no_show') AS no_shows,
                          count(*) FILTER (WHERE b.status = 'cancelled') AS cancelled,
                          max(lower(b.during)) FILTER (WHERE b.status = 'completed') AS last_at,
                          min(lower(b.during)) FILTER (WHERE b.status IN ('pending', 'confirmed')) AS next_at
                   FROM bookings AS b WHERE b.customer_id = c.id) AS visits "# + $tail
            $(, $value)*
        )
        .map(|row| $crate::customers::ExportedCustomer {
            customer: $crate::customers::Customer {
                phone_e164: row.phone.as_ref().and_then(|phone| phone.e164(row.country)),
                id: row.id,
                user_id: row.user_id,
                email: row.email,
                name: row.name,
                phone: row.phone,
                locale: row.locale,
                zone: row.zone,
                note: row.note,
                visits: $crate::customers::Visits {
                    completed: row.completed,
                    no_shows: row.no_shows,
                    cancelled: row.cancelled,
                    last_at: row.last_at,
                    next_at: row.next_at,
                },
                rev: row.rev,
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            reminders: row.reminders,
        })
    };
}
pub(super) use select_customers;
