//! When resources are in use, from the database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ServiceTerms;
use crate::Result;
use crate::calendar::{Seats, Span};

/// The resources that services with these terms can need, each once.
pub(super) fn candidates<'a>(terms: impl IntoIterator<Item = &'a ServiceTerms>) -> Vec<Uuid> {
    let needs = terms.into_iter().flat_map(|terms| &terms.rules.needs);
    let mut ids: Vec<Uuid> = needs.flat_map(|need| &need.candidates).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Times in or near the span at which these resources are in use or out of service, by resource. Without holds that expired
/// before `now`, and without the bookings or classes with the ids `exclude`. An outage counts as a class.
pub(super) async fn resource_times(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    ids: &[Uuid],
    (begin, end): (DateTime<Utc>, DateTime<Utc>),
    exclude: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Seats>>> {
    let mut times: HashMap<Uuid, Vec<Seats>> = HashMap::new();
    if ids.is_empty() {
        return Ok(times);
    }
    let rows = sqlx::query!(
        r#"SELECT r.resource_id AS "resource_id!", r.class_id AS "class_id!", lower(r.blocked) AS "from!",
                  upper(r.blocked) AS "to!", b.hold_expires_at AS "held_until?"
           FROM booking_resources AS r JOIN bookings AS b ON b.id = r.booking_id
           WHERE r.resource_id = ANY($1) AND r.blocks AND upper(r.blocked) > $2 AND lower(r.blocked) < $3
             AND (b.hold_expires_at IS NULL OR b.hold_expires_at > $4) AND b.id <> ALL ($5)
             AND r.class_id <> ALL ($5)
           UNION ALL
           SELECT resource_id, id, lower(during), upper(during), NULL
           FROM resource_outages WHERE resource_id = ANY($1) AND upper(during) > $2 AND lower(during) < $3"#,
        ids,
        begin,
        end,
        now,
        exclude,
    )
    .fetch_all(db)
    .await?;
    for row in rows {
        if let Some(span) = Span::new(row.from, row.to) {
            let seat = Seats {
                class_id: row.class_id,
                during: span,
                blocked: span,
                count: 1,
                held_until: row.held_until,
            };
            times.entry(row.resource_id).or_default().push(seat);
        }
    }
    Ok(times)
}
