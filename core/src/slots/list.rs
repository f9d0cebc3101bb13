//! The list of slots.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::terms::{ServiceTerms, terms_of_booking, terms_of_each};
use super::{LoadedCalendars, MAX_STAFF, Revisions, calendars};
use crate::calendar::{
    Calendar, after_date, day_start, last_bookable_date, local_date, slots, unchanged_until,
};
use crate::types::{ParseError, Zone};
use crate::{Core, Error, Result};

/// Most dates that one list can span.
pub const MAX_DAYS: i64 = 31;

/// Which slots to list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SlotQuery {
    /// The service.
    pub service_id: Uuid,
    /// The member of staff; none: anyone who performs the service.
    pub staff_id: Option<Uuid>,
    /// First date, in the business's zone.
    pub from: NaiveDate,
    /// Last date, included; at most [`MAX_DAYS`] dates in all.
    pub to: NaiveDate,
    /// Lists only starts with at least this many seats left; 1: all.
    pub seats: u32,
    /// The booking that is moved: its own time counts as free. The caller checks access to it.
    pub exclude_booking: Option<Uuid>,
}

/// Slots by civil date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotList {
    /// The business's zone, in which the dates are read.
    pub tz: Zone,
    /// Every date of the range, in order.
    pub days: Vec<DaySlots>,
}

/// The slots that start on one date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySlots {
    /// The date.
    pub date: NaiveDate,
    /// Its slots in order; may be empty.
    pub slots: Vec<OfferedSlot>,
}

/// A start that can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedSlot {
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, with the offset of the business's zone.
    pub end: DateTime<FixedOffset>,
    /// Ids of the staff who can be booked at this start.
    pub staff_ids: Vec<Uuid>,
    /// Seats that can still be taken at this start, summed over these staff; at least 1. A booking has all of its seats with one of
    /// them.
    pub seats_left: u32,
}

/// The slots that can be booked now. Runs three queries for any number of staff, one more for a service that needs
/// resources.
///
/// # Errors
/// [`Error::NotFound`] for an unknown or inactive service (inactive is fine when a booking is to be moved) or a member
/// of staff who does not perform it; [`Error::Invalid`] for a range that is reversed or too long.
pub async fn list(core: &Core, query: &SlotQuery) -> Result<SlotList> {
    Ok(list_with_revisions(&mut *core.pool.acquire().await?, core.now(), query).await?.list)
}

/// A list and how long it is valid.
pub(super) struct ListWithRevisions {
    pub list: SlotList,
    /// The list is valid while these revisions are current
    pub revisions: Revisions,
    /// and until this instant.
    pub until: DateTime<Utc>,
}

/// [`list`] as of `now`. The revisions are read by the first statement, before the data they cover: a write in between
/// increments a revision that was already read, so a list without that write fails its next check.
pub(super) async fn list_with_revisions(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    query: &SlotQuery,
) -> Result<ListWithRevisions> {
    let Some(booking_id) = query.exclude_booking else {
        let lists = load_lists(db, now, std::slice::from_ref(query)).await?;
        let loaded = lists.into_iter().next().unwrap_or(Err(Error::NotFound("service")));
        return Ok(loaded?.list(query));
    };
    check_range(query)?;
    let terms = terms_of_booking(db, booking_id, query.service_id, query.staff_id).await?;
    let dates = (query.from, query.to);
    let offered = offered(db, now, &terms, dates, query.seats, query.exclude_booking).await?;
    Ok(offered.into_list(query, terms))
}

/// What is needed for the lists of several queries that exclude no booking, by as many statements as for one query (one more
/// if some ask for one member of staff and some for anyone). The results are in their order.
///
/// # Errors
/// Those of the database.
pub(super) async fn load_lists(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    queries: &[SlotQuery],
) -> Result<Vec<Result<LoadedList>>> {
    let wanted: Vec<(Uuid, Option<Uuid>)> =
        queries.iter().map(|query| (query.service_id, query.staff_id)).collect();
    let terms = terms_of_each(db, &wanted).await?;
    let planned: Vec<Result<Planned>> =
        queries.iter().zip(terms).map(|(query, terms)| Planned::new(now, query, terms)).collect();
    let mut dates: BTreeMap<Uuid, Vec<NaiveDate>> = BTreeMap::new();
    let with_dates = || {
        let planned = planned.iter().filter_map(|planned| planned.as_ref().ok());
        planned.filter_map(|planned| Some((&planned.terms, planned.dates?)))
    };
    for (terms, (from, to)) in with_dates() {
        for id in &terms.staff_ids {
            dates.entry(*id).or_default().extend(from.iter_days().take_while(|date| *date <= to));
        }
    }
    let zone = with_dates().next().map_or(Zone::UTC, |(terms, _)| terms.zone);
    let mut loaded = LoadedCalendars::load_dates(db, now, zone, dates, &[]).await?;
    let ends = with_dates().flat_map(|(terms, (from, to))| [(from, terms), (to, terms)]);
    loaded.load_resources_on(db, now, ends, &[]).await?;
    let loaded = Arc::new(loaded);
    let list = |planned: Planned| LoadedList { planned, loaded: Arc::clone(&loaded), now };
    Ok(planned.into_iter().map(|planned| planned.map(list)).collect())
}

/// The terms and calendars of one list.
pub(super) struct LoadedList {
    planned: Planned,
    /// Calendars of this list and of others.
    loaded: Arc<LoadedCalendars>,
    now: DateTime<Utc>,
}

impl LoadedList {
    /// The list of the query for which it was loaded.
    pub(super) fn list(self, query: &SlotQuery) -> ListWithRevisions {
        let Self { planned: Planned { terms, dates, until }, loaded, now } = self;
        let offered = match dates {
            Some(dates) => {
                merge(loaded.calendars_of(&terms.staff_ids), now, &terms, dates, query.seats, until)
            }
            None => Offered { slots: Vec::new(), until },
        };
        offered.into_list(query, terms)
    }
}

/// First and last date.
type Dates = (NaiveDate, NaiveDate);

/// A query with the terms of its service.
struct Planned {
    terms: ServiceTerms,
    /// The dates that can have slots, if there are any.
    dates: Option<Dates>,
    until: DateTime<Utc>,
}

impl Planned {
    fn new(now: DateTime<Utc>, query: &SlotQuery, terms: Result<ServiceTerms>) -> Result<Self> {
        check_range(query)?;
        let terms = terms?;
        if !terms.active {
            return Err(Error::NotFound("service"));
        }
        let (dates, until) = reachable(now, &terms, (query.from, query.to))?;
        Ok(Self { terms, dates, until })
    }
}

/// # Errors
/// [`Error::Invalid`] for a range that is reversed or too long.
fn check_range(query: &SlotQuery) -> Result<()> {
    let range_error =
        |code, message| Error::Invalid { pointer: "/to", error: ParseError::new(code, message) };
    if query.to < query.from {
        return Err(range_error("range_reversed", "the last date is before the first"));
    }
    if query.to - query.from >= TimeDelta::days(MAX_DAYS) {
        return Err(range_error("range_too_long", "at most 31 dates can be asked for at once"));
    }
    Ok(())
}

/// Slots of several members of staff.
pub(super) struct Offered {
    /// In order of their starts.
    pub slots: Vec<OfferedSlot>,
    /// The instant from which time alone may change them.
    pub until: DateTime<Utc>,
}

impl Offered {
    fn into_list(self, query: &SlotQuery, terms: ServiceTerms) -> ListWithRevisions {
        let mut days: Vec<DaySlots> = query
            .from
            .iter_days()
            .take_while(|date| *date <= query.to)
            .map(|date| DaySlots { date, slots: Vec::new() })
            .collect();
        for slot in self.slots {
            let day = days.iter_mut().find(|day| day.date == slot.start.date_naive());
            if let Some(day) = day {
                day.slots.push(slot);
            }
        }
        ListWithRevisions {
            list: SlotList { tz: terms.zone, days },
            revisions: terms.revisions,
            until: self.until,
        }
    }
}

/// The slots of all staff of the terms with at least this many seats left, one entry for each start and end, in order.
pub(super) async fn offered(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    dates: Dates,
    seats: u32,
    exclude: Option<Uuid>,
) -> Result<Offered> {
    let (dates, until) = reachable(now, terms, dates)?;
    let Some(dates) = dates else { return Ok(Offered { slots: Vec::new(), until }) };
    let calendars = calendars(db, now, terms, &terms.staff_ids, dates, exclude).await?;
    Ok(merge(calendars.iter(), now, terms, dates, seats, until))
}

/// Those of the dates that can have slots, if any, and the next midnight. This also keeps extreme dates out of date arithmetic.
///
/// # Errors
/// [`Error::Invalid`] for more than [`MAX_STAFF`] members of staff.
fn reachable(
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    (from, to): Dates,
) -> Result<(Option<Dates>, DateTime<Utc>)> {
    let zone = terms.zone;
    let today = local_date(zone, now);
    let (from, to) = (from.max(today), to.min(last_bookable_date(zone, &terms.rules, now)));
    let midnight = day_start(zone, after_date(today));
    if to < from {
        return Ok((None, midnight));
    }
    if terms.staff_ids.len() > MAX_STAFF {
        return Err(Error::Invalid {
            pointer: "/staff_id",
            error: ParseError::new(
                "too_many_staff",
                "more than 50 perform this service: ask for one of them",
            ),
        });
    }
    Ok((Some((from, to)), midnight))
}

/// The slots of these calendars.
fn merge<'a>(
    calendars: impl Iterator<Item = &'a Calendar>,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    (from, to): Dates,
    seats: u32,
    mut until: DateTime<Utc>,
) -> Offered {
    let mut merged: BTreeMap<(DateTime<Utc>, DateTime<Utc>), OfferedSlot> = BTreeMap::new();
    for calendar in calendars {
        let rules = terms.rules_with(calendar.staff_id);
        let slots = slots(calendar, &rules, from, to, now);
        until = until.min(unchanged_until(calendar, &rules, &slots, now));
        for slot in slots.into_iter().filter(|slot| slot.seats_left >= seats) {
            let offered = merged.entry((slot.start, slot.end)).or_insert_with(|| OfferedSlot {
                start: terms.zone.at(slot.start),
                end: terms.zone.at(slot.end),
                staff_ids: Vec::new(),
                seats_left: 0,
            });
            offered.staff_ids.push(calendar.staff_id);
            offered.seats_left += slot.seats_left;
        }
    }
    Offered { slots: merged.into_values().collect(), until }
}
