use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{BookingState, Event, EventActor, EventType, Place, Position, Subject};
use crate::bookings::BookingStatus;
use crate::pool::again_if_cut;
use crate::types::{ActorKind, PageSize, Zone};
use crate::{Error, Result};

/// One page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the feed's order. Fewer than requested if events of other types lie between.
    pub events: Vec<Event>,
    /// Where the next page begins.
    pub next: Position,
    /// Whether there are more events now; if not, ask again later with `next`.
    pub has_more: bool,
}

/// The events after a position, of these types (none: of all).
///
/// # Errors
/// [`Error::CursorExpired`] when events after the position have been removed; [`Error::Unavailable`].
pub async fn list(pool: &PgPool, after: Position, types: &[EventType], size: PageSize) -> Result<EventPage> {
    let rows = again_if_cut(|| async {
        let mut conn = pool.acquire().await?;
        check_floor(&mut conn, after).await?;
        rows_after(&mut conn, after, size.rows() + 1).await
    })
    .await?;
    let has_more = rows.len() > size.rows();
    let shown = &rows[..rows.len().min(size.rows())];
    let next = shown.last().map_or(after, Row::position);
    let events = shown.iter().filter_map(|row| row.event().transpose()).collect::<Result<Vec<_>>>()?;
    let wanted = |event: &Event| types.is_empty() || types.contains(&event.event_type);
    Ok(EventPage { events: events.into_iter().filter(wanted).collect(), next, has_more })
}

/// The position of the last event that can be read now.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn head(conn: &mut PgConnection) -> Result<Position> {
    // Plan: the last row of each of the two feed indexes.
    let row = sqlx::query!(
        r#"SELECT feed.xid::text::bigint AS "xid!", feed.id AS "id!" FROM (
               (SELECT xid, id FROM booking_events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY xid DESC, id DESC LIMIT 1)
               UNION ALL
               (SELECT xid, id FROM catalogue_events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY xid DESC, id DESC LIMIT 1)
               UNION ALL SELECT xid, id FROM feed_floor
           ) AS feed ORDER BY feed.xid DESC, feed.id DESC LIMIT 1"#,
    )
    .fetch_one(conn)
    .await?;
    Ok(Position { xid: row.xid, id: row.id })
}

/// For how long the first committed event that cannot be read yet has been waiting for an older transaction to end, in
/// seconds; 0: none waits.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn lag(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    // Plan: one row of each of the two feed indexes. min(at) would read all events: the planner expects a third to wait.
    let first = sqlx::query_scalar!(
        r#"SELECT min(feed.at) FROM (
               (SELECT at FROM booking_events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY xid, id LIMIT 1)
               UNION ALL
               (SELECT at FROM catalogue_events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY xid, id LIMIT 1)
           ) AS feed"#,
    )
    .fetch_one(pool)
    .await?;
    Ok(first.map_or(0, |at| u64::try_from((now - at).num_seconds()).unwrap_or(0)))
}

/// What a delivery stores of an event, to read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reference {
    /// A revision of a booking.
    Booking { id: Uuid, rev: i32 },
    /// A row of `catalogue_events`.
    Catalogue(i64),
}

/// An event with the reference by which it is read again; `None` for rows that are no events, such as holds.
pub(crate) struct EventRow {
    pub position: Position,
    pub event: Option<(EventType, Reference)>,
}

/// Up to `limit` rows after a position.
pub(crate) async fn after(
    conn: &mut PgConnection,
    position: Position,
    limit: usize,
) -> Result<Vec<EventRow>> {
    let found = |row: Row| {
        let event = row.event()?.map(|event| (event.event_type, row.reference()));
        Ok(EventRow { position: row.position(), event })
    };
    rows_after(conn, position, limit).await?.into_iter().map(found).collect()
}

/// The events of these references; those that were removed are missing.
pub(crate) async fn by_references(
    conn: &mut PgConnection,
    references: &HashSet<Reference>,
) -> Result<HashMap<Reference, Event>> {
    let mut found = HashMap::new();
    let bookings = references.iter().filter_map(|reference| match reference {
        Reference::Booking { id, rev } => Some((*id, *rev)),
        Reference::Catalogue(_) => None,
    });
    let (ids, revs): (Vec<Uuid>, Vec<i32>) = bookings.unzip();
    if !ids.is_empty() {
        let rows = select_events!(
            "SELECT xid, id, at, booking_id, rev, change, actor, actor_id, details, NULL::text AS subject, NULL::uuid AS subject_id
             FROM unnest($1::uuid[], $2::integer[]) AS wanted (booking_id, rev) JOIN booking_events USING (booking_id, rev)",
            &ids,
            &revs,
        )
        .fetch_all(&mut *conn)
        .await?;
        add_events(&mut found, rows)?;
    }
    let numbers = references.iter().filter_map(|reference| match reference {
        Reference::Booking { .. } => None,
        Reference::Catalogue(number) => Some(*number),
    });
    let numbers: Vec<i64> = numbers.collect();
    if !numbers.is_empty() {
        let rows = select_events!(
            "SELECT xid, id, at, NULL::uuid AS booking_id, NULL::integer AS rev, change::text, NULL::actor_kind AS actor,
                    NULL::uuid AS actor_id, '{}'::jsonb AS details, subject::text, subject_id
             FROM catalogue_events WHERE id = ANY($1)",
            &numbers,
        )
        .fetch_all(conn)
        .await?;
        add_events(&mut found, rows)?;
    }
    Ok(found)
}

fn add_events(found: &mut HashMap<Reference, Event>, rows: Vec<Row>) -> Result<()> {
    for row in rows {
        if let Some(event) = row.event()? {
            found.insert(row.reference(), event);
        }
    }
    Ok(())
}

async fn check_floor(conn: &mut PgConnection, after: Position) -> Result<()> {
    let row =
        sqlx::query!(r#"SELECT xid::text::bigint AS "xid!", id FROM feed_floor"#).fetch_one(conn).await?;
    if after < (Position { xid: row.xid, id: row.id }) && after != Position::START {
        return Err(Error::CursorExpired);
    }
    Ok(())
}

async fn rows_after(conn: &mut PgConnection, after: Position, limit: usize) -> Result<Vec<Row>> {
    // Plan: a range of each of the two feed indexes, merged; then one look into bookings for each event.
    let rows = select_events!(
        "SELECT * FROM (
             (SELECT xid, id, at, booking_id, rev, change, actor, actor_id, details, NULL::text AS subject, NULL::uuid AS subject_id
              FROM booking_events
              WHERE (xid, id) > ($1::bigint::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
              ORDER BY xid, id LIMIT $3)
             UNION ALL
             (SELECT xid, id, at, NULL, NULL, change::text, NULL, NULL, '{}'::jsonb, subject::text, subject_id
              FROM catalogue_events
              WHERE (xid, id) > ($1::bigint::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
              ORDER BY xid, id LIMIT $3)
         ) AS merged ORDER BY xid, id LIMIT $3",
        after.xid,
        after.id,
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A row of the feed as it is stored, with the booking and the details of its last move up to then.
struct Row {
    xid: i64,
    id: i64,
    at: DateTime<Utc>,
    booking_id: Option<Uuid>,
    rev: Option<i32>,
    change: String,
    actor: Option<ActorKind>,
    actor_id: Option<Uuid>,
    status: Option<BookingStatus>,
    has_customer: Option<bool>,
    service_id: Option<Uuid>,
    series_id: Option<Uuid>,
    minutes: Option<i32>,
    zone: String,
    place: Option<Value>,
    previous: Option<Value>,
    subject: Option<String>,
    subject_id: Option<Uuid>,
}

/// A query of [`Row`]s from rows of the feed. The zone is read by itself: Postgres takes the one row of the settings for
/// 200, and a join with them for so much work that it compiles the query (JIT) for half a second.
macro_rules! select_events {
    ($feed:tt $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "WITH feed AS MATERIALIZED (" + $feed + r#")
             SELECT feed.xid::text::bigint AS "xid!", feed.id AS "id!", feed.at AS "at!", feed.booking_id, feed.rev,
                    feed.change AS "change!", feed.actor AS "actor: ActorKind", feed.actor_id,
                    own.status AS "status?: BookingStatus", b.customer_id IS NOT NULL AS has_customer,
                    coalesce((SELECT (e.details #>> '{service,to}')::uuid FROM booking_events AS e
                              WHERE e.booking_id = feed.booking_id AND e.rev <= feed.rev AND e.details ? 'service'
                              ORDER BY e.rev DESC LIMIT 1),
                             (SELECT (e.details #>> '{service,from}')::uuid FROM booking_events AS e
                              WHERE e.booking_id = feed.booking_id AND e.rev > feed.rev AND e.details ? 'service'
                              ORDER BY e.rev LIMIT 1),
                             b.service_id) AS "service_id?",
                    b.series_id AS "series_id?", b.duration_min AS "minutes?",
                    coalesce(b.zone, (SELECT zone FROM settings LIMIT 1), 'Etc/UTC') AS "zone!",
                    (SELECT e.details FROM booking_events AS e
                     WHERE e.booking_id = feed.booking_id AND e.rev <= feed.rev AND e.details ? 'to'
                     ORDER BY e.rev DESC LIMIT 1) AS place,
                    feed.details -> 'from' AS previous, feed.subject, feed.subject_id
             FROM feed
             LEFT JOIN booking_events AS own ON own.booking_id = feed.booking_id AND own.rev = feed.rev
             LEFT JOIN bookings AS b ON b.id = feed.booking_id
             ORDER BY feed.xid, feed.id"#
            $(, $value)*
        )
    };
}
use select_events;

/// The details of a move.
#[derive(Deserialize)]
struct StoredMove {
    to: StoredPlace,
    /// Absent where an earlier release wrote the row.
    minutes: Option<i32>,
}

#[derive(Deserialize)]
struct StoredPlace {
    start: DateTime<Utc>,
    staff_id: Uuid,
}

impl Row {
    fn position(&self) -> Position {
        Position { xid: self.xid, id: self.id }
    }

    fn reference(&self) -> Reference {
        match (self.booking_id, self.rev) {
            (Some(id), Some(rev)) => Reference::Booking { id, rev },
            _ => Reference::Catalogue(self.id),
        }
    }

    /// The event; `None` for a hold, which is no booking yet.
    fn event(&self) -> Result<Option<Event>> {
        let bad = |cause: crate::types::ParseError| Error::internal("an event holds a bad zone", cause);
        let zone = Zone::parse(&self.zone).map_err(bad)?;
        let (event_type, subject) = match self.booking_id {
            Some(id) => match self.booking(id, zone)? {
                Some(subject) => (EventType::of_change(&self.change), subject),
                None => return Ok(None),
            },
            None => self.catalogue()?,
        };
        let actor = self.actor.map(|kind| EventActor { kind, id: self.actor_id });
        Ok(Some(Event { position: self.position(), event_type, at: zone.at(self.at), subject, actor }))
    }

    fn booking(&self, id: Uuid, zone: Zone) -> Result<Option<Subject>> {
        // Creating, extending and releasing a hold are no events.
        let is_hold = self.status == Some(BookingStatus::Held) || self.change == "released";
        if is_hold || self.has_customer == Some(false) {
            return Ok(None);
        }
        let incomplete = || Error::internal("an event has no booking", "the row is incomplete");
        let bad = |error: serde_json::Error| Error::internal("an event's place", error);
        let moved = StoredMove::deserialize(self.place.as_ref().ok_or_else(incomplete)?).map_err(bad)?;
        let previous = self.previous.as_ref().map(StoredPlace::deserialize).transpose().map_err(bad)?;
        let (place, minutes) = (moved.to, moved.minutes.or(self.minutes).ok_or_else(incomplete)?);
        let booking = BookingState {
            id,
            rev: self.rev.ok_or_else(incomplete)?,
            status: self.status.ok_or_else(incomplete)?,
            service_id: self.service_id.ok_or_else(incomplete)?,
            staff_id: place.staff_id,
            start: zone.at(place.start),
            end: zone.at(place.start + chrono::TimeDelta::minutes(minutes.into())),
            series_id: self.series_id,
        };
        let previous = previous.map(|place| Place { start: zone.at(place.start), staff_id: place.staff_id });
        Ok(Some(Subject::Booking { booking, previous }))
    }

    fn catalogue(&self) -> Result<(EventType, Subject)> {
        let created = self.change == "created";
        let pick = |made, changed| if created { made } else { changed };
        Ok(match (self.subject.as_deref(), self.subject_id) {
            (Some("customer"), Some(id)) if self.change == "deleted" => {
                (EventType::CustomerDeleted, Subject::Customer(id))
            }
            (Some("business"), None) => {
                (pick(EventType::BusinessCreated, EventType::BusinessUpdated), Subject::Business)
            }
            (Some("customer"), Some(id)) => {
                (pick(EventType::CustomerCreated, EventType::CustomerUpdated), Subject::Customer(id))
            }
            (Some("service"), Some(id)) => {
                (pick(EventType::ServiceCreated, EventType::ServiceUpdated), Subject::Service(id))
            }
            (Some("staff"), Some(id)) => {
                (pick(EventType::StaffCreated, EventType::StaffUpdated), Subject::Staff(id))
            }
            _ => return Err(Error::internal("the feed", "a catalogue event of an unknown subject")),
        })
    }
}
