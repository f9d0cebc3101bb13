//! Loads the calendars of any number of members of staff by two queries.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::resources::{candidates, resource_times};
use super::{ServiceTerms, iso_weekday, stored_part, stored_time, stored_window};
use crate::Result;
use crate::calendar::{
    Busy, BusyResources, Calendar, ClassDate, ClassLength, Seats, Span, WeeklyClass, WeeklyWindow,
    after_date, dates_needed, day_start,
};
use crate::types::Zone;

/// The longest appointment (24 h) and buffer (8 h) of a service. They bound how far from a span a booking that touches
/// it can start.
const MAX_APPOINTMENT: TimeDelta = TimeDelta::hours(24);
const MAX_BUFFER: TimeDelta = TimeDelta::hours(8);

/// The calendars of these members of staff, in their order, as far as appointments that start on the dates `from` to
/// `to` need them. Without holds that expired before `now`, and without the booking or class with the id `exclude`.
///
/// To decide about a booking, lock the staff rows first: then nothing read here changes before the transaction ends.
pub async fn calendars(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    staff_ids: &[Uuid],
    (from, to): (NaiveDate, NaiveDate),
    exclude: Option<Uuid>,
) -> Result<Vec<Calendar>> {
    let zone = terms.zone;
    let span = span_of(zone, from, to);
    let mut calendars = opening_hours(db, zone, staff_ids, (from, to)).await?;
    let ranges: Vec<(Uuid, Instants)> = staff_ids.iter().map(|id| (*id, span)).collect();
    let mut seats = bookings(db, now, &ranges, exclude.as_slice()).await?;
    let times = resource_times(db, now, &candidates([terms]), around(span), exclude.as_slice()).await?;
    let resources = Arc::new(BusyResources::new(&times));
    for calendar in &mut calendars {
        calendar.resources = Arc::clone(&resources);
        calendar.busy = Busy::new(seats.remove(&calendar.staff_id).unwrap_or_default());
    }
    Ok(calendars)
}

/// A range of instants, from and to.
pub(super) type Instants = (DateTime<Utc>, DateTime<Utc>);

/// From the first instant of a date to the last at which an appointment that starts on the other can end.
pub(super) fn span_of(zone: Zone, from: NaiveDate, to: NaiveDate) -> Instants {
    (day_start(zone, from), day_start(zone, after_date(to)) + MAX_APPOINTMENT)
}

/// The span in which blocked times matter for appointments of this one: they reach a buffer beyond them.
pub(super) fn around((begin, end): Instants) -> Instants {
    (begin - MAX_BUFFER, end + MAX_BUFFER)
}

/// The calendars without their bookings: hours, overrides, closures, time off and timetables.
pub(crate) async fn opening_hours(
    db: &mut PgConnection,
    zone: Zone,
    staff_ids: &[Uuid],
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<Calendar>> {
    let (first, last) = dates_needed(from, to);
    let (begin, end) = span_of(zone, from, to);
    let rows = sqlx::query!(
        r#"SELECT staff_id AS "staff_id?", weekday AS "weekday?", nullif(valid_from, '0001-01-01') AS "valid_from?",
                  NULL::date AS "date?", start_min AS "start_min?", end_min AS "end_min?",
                  NULL::timestamptz AS "from?", NULL::timestamptz AS "to?", NULL::date AS "valid_until?",
                  NULL::boolean AS "takes_place?", NULL::uuid AS "service_id?", NULL::integer AS "duration_min?",
                  NULL::integer AS "buffer_before_min?", NULL::integer AS "buffer_after_min?"
           FROM weekly_hours WHERE staff_id = ANY($1)
           UNION ALL
           SELECT staff_id, NULL, valid_from, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
           FROM later_weeks WHERE staff_id = ANY($1)
           UNION ALL
           SELECT staff_id, NULL, NULL, date, start_min, end_min, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
           FROM date_overrides WHERE staff_id = ANY($1) AND date BETWEEN $2 AND $3
           UNION ALL
           SELECT NULL, NULL, NULL, date, start_min, end_min, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
           FROM closures WHERE date BETWEEN $2 AND $3
           UNION ALL
           SELECT staff_id, NULL, NULL, NULL, NULL, NULL, lower(during), upper(during), NULL, NULL, NULL, NULL, NULL, NULL
           FROM time_off WHERE staff_id = ANY($1) AND upper(during) > $4 AND lower(during) < $5
           UNION ALL
           SELECT w.staff_id, w.weekday, w.valid_from, NULL, w.start_min, NULL, NULL, NULL, w.valid_until, NULL, s.id,
                  coalesce(p.duration_min, s.duration_min), s.buffer_before_min, s.buffer_after_min
           FROM class_windows AS w JOIN services AS s ON s.id = w.service_id
           JOIN service_staff AS p ON p.service_id = s.id AND p.staff_id = w.staff_id
           WHERE w.staff_id = ANY($1) AND s.active
           UNION ALL
           SELECT d.staff_id, NULL, NULL, NULL, NULL, NULL, d.start_at, NULL, NULL, d.takes_place, s.id,
                  coalesce(p.duration_min, s.duration_min), s.buffer_before_min, s.buffer_after_min
           FROM class_dates AS d JOIN services AS s ON s.id = d.service_id
           JOIN service_staff AS p ON p.service_id = s.id AND p.staff_id = d.staff_id
           WHERE d.staff_id = ANY($1) AND d.start_at > $4::timestamptz - interval '72 hours' AND d.start_at < $5
             AND s.active"#,
        staff_ids,
        first,
        last,
        begin,
        end,
    )
    .fetch_all(db)
    .await?;
    let mut closures: BTreeSet<NaiveDate> = BTreeSet::new();
    let mut closed: Vec<Span> = Vec::new();
    for row in rows.iter().filter(|row| row.staff_id.is_none()) {
        let Some(date) = row.date else { continue };
        match row.start_min.zip(row.end_min) {
            Some((from, to)) => closed.extend(stored_part(zone, date, from, to)?),
            None => drop(closures.insert(date)),
        }
    }
    let closures = Arc::new(closures);
    let mut calendars: Vec<Calendar> = staff_ids
        .iter()
        .map(|id| Calendar { time_off: closed.clone(), ..Calendar::empty(*id, zone, Arc::clone(&closures)) })
        .collect();
    let place: HashMap<Uuid, usize> = staff_ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    for row in rows {
        let Some(calendar) = row.staff_id.and_then(|id| place.get(&id)).map(|index| &mut calendars[*index])
        else {
            continue;
        };
        if let Some(service_id) = row.service_id {
            let minutes = |minutes: Option<i32>| minutes.unwrap_or_default().unsigned_abs();
            let (before, after) = (minutes(row.buffer_before_min), minutes(row.buffer_after_min));
            let length = ClassLength { minutes: minutes(row.duration_min), before, after };
            if let (Some(start), Some(takes_place)) = (row.from, row.takes_place) {
                calendar.timetable.dates.push(ClassDate { service_id, start, takes_place, length });
            } else if let (Some(weekday), Some(start), Some(valid_from)) =
                (row.weekday, row.start_min, row.valid_from)
            {
                let (weekday, start) = (iso_weekday(weekday)?, stored_time(start)?);
                let valid_until = row.valid_until;
                let weekly = WeeklyClass { service_id, weekday, start, valid_from, valid_until, length };
                calendar.timetable.weekly.push(weekly);
            }
            continue;
        }
        let window =
            row.start_min.zip(row.end_min).map(|(opens, closes)| stored_window(opens, closes)).transpose()?;
        if let Some(date) = row.date {
            calendar.overrides.entry(date).or_default().extend(window);
        } else if let (Some(from), Some(to)) = (row.from, row.to) {
            calendar.time_off.extend(Span::new(from, to));
        } else {
            let weekly = row.weekday.zip(window).map(|(weekday, window)| {
                iso_weekday(weekday).map(|weekday| WeeklyWindow { weekday, window })
            });
            let week = match row.valid_from {
                Some(valid_from) => calendar.later_weeks.entry(valid_from).or_default(),
                None => &mut calendar.weekly,
            };
            week.extend(weekly.transpose()?);
        }
    }
    Ok(calendars)
}

/// The blocking bookings by member of staff, in these ranges. Ranges of one member of staff must be five days apart, or a
/// booking between them would be counted twice. The lateral join reads the partial index on (`staff_id`, start) once for
/// each calendar: a range condition on `blocked` would choose the slower gist index, and `staff_id = ANY ($1)` an index on
/// the start alone while the table is small.
pub(super) async fn bookings(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    ranges: &[(Uuid, Instants)],
    exclude: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Seats>>> {
    // A neighbour's blocked time ends at most an appointment and a buffer after its start, ours begins a buffer early.
    let before = MAX_APPOINTMENT + MAX_BUFFER + MAX_BUFFER;
    let after = MAX_BUFFER + MAX_BUFFER;
    let staff_ids: Vec<Uuid> = ranges.iter().map(|(id, _)| *id).collect();
    let earliest: Vec<DateTime<Utc>> = ranges.iter().map(|(_, (begin, _))| *begin - before).collect();
    let latest: Vec<DateTime<Utc>> = ranges.iter().map(|(_, (_, end))| *end + after).collect();
    let rows = sqlx::query!(
        r#"SELECT staff.id AS "staff_id!", b.class_id, b.starts AS "start!", b.ends AS "end!",
                  b.blocked_from AS "blocked_from!", b.blocked_to AS "blocked_to!", b.hold_expires_at, b.seats
           FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS staff (id, earliest, latest)
           CROSS JOIN LATERAL (
               SELECT class_id, lower(during) AS starts, upper(during) AS ends, lower(blocked) AS blocked_from,
                      upper(blocked) AS blocked_to, hold_expires_at, seats
               FROM bookings
               WHERE bookings.staff_id = staff.id AND blocks AND lower(during) > staff.earliest
                 AND lower(during) < staff.latest
                 AND (hold_expires_at IS NULL OR hold_expires_at > $4) AND bookings.id <> ALL ($5) AND class_id <> ALL ($5)
               OFFSET 0) AS b"#,
        &staff_ids,
        &earliest,
        &latest,
        now,
        exclude,
    )
    .fetch_all(db)
    .await?;
    let mut seats: HashMap<Uuid, Vec<Seats>> = HashMap::with_capacity(ranges.len());
    for row in rows {
        let spans = Span::new(row.start, row.end).zip(Span::new(row.blocked_from, row.blocked_to));
        seats.entry(row.staff_id).or_default().extend(spans.map(|(during, blocked)| Seats {
            class_id: row.class_id,
            during,
            blocked,
            count: row.seats.unsigned_abs(),
            held_until: row.hold_expires_at,
        }));
    }
    Ok(seats)
}
