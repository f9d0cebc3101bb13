//! When a whole visit fits: several services one after the other.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::load::Instants;
use super::{LoadedCalendars, MAX_STAFF, ServiceTerms, terms};
use crate::calendar::{
    Limits, NoPlace, Performer, Placed, Step, after_date, day_start, last_bookable_date, local_date,
    out_of_reach, plan_visit,
};
use crate::pool::again_if_cut;
use crate::types::{ParseError, Zone};
use crate::{Core, Error, Result, VisitPart, VisitSlot};

/// Most services of one visit.
pub const MAX_SERVICES: usize = 5;

/// Most dates for which starts of a visit are listed at once.
pub const VISIT_DAYS: i64 = 7;

/// How many starts are offered in place of one at which the visit does not fit.
const NEAREST: usize = 3;

/// A service of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VisitService {
    /// The service.
    pub service_id: Uuid,
    /// Who is to perform it; none: the member of staff of the service before if possible, else whoever has the fewest
    /// bookings on that day.
    pub staff_id: Option<Uuid>,
}

/// Which starts of a visit to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitQuery {
    /// The services in order, 1 to [`MAX_SERVICES`].
    pub services: Vec<VisitService>,
    /// First date, in the business's zone.
    pub from: NaiveDate,
    /// Last date, included; at most [`VISIT_DAYS`] dates in all.
    pub to: NaiveDate,
}

/// Starts of a visit by civil date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitSlots {
    /// The business's zone, in which the dates are read.
    pub tz: Zone,
    /// Every date of the range, in order.
    pub days: Vec<VisitDay>,
}

/// The starts on one date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitDay {
    /// The date.
    pub date: NaiveDate,
    /// In order; may be empty.
    pub slots: Vec<VisitSlot>,
}

/// The starts at which the whole visit can be booked now, with the places that it would get.
///
/// # Errors
/// [`Error::NotFound`] for an unknown or inactive service or a member of staff who does not perform it;
/// [`Error::Invalid`] for the number of services or a range that is reversed or too long.
pub async fn visit_slots(core: &Core, query: &VisitQuery) -> Result<VisitSlots> {
    require_services(query.services.len())?;
    let range_error =
        |code, message| Error::Invalid { pointer: "/to", error: ParseError::new(code, message) };
    if query.to < query.from {
        return Err(range_error("range_reversed", "the last date is before the first"));
    }
    if query.to - query.from >= TimeDelta::days(VISIT_DAYS) {
        return Err(range_error("range_too_long", "at most 7 dates can be asked for at once"));
    }
    again_if_cut(|| async {
        let (mut db, now) = (core.pool.acquire().await?, core.now());
        let services = services(&mut db, &query.services).await?;
        let dates = (query.from, query.to);
        let mut found = Vec::new();
        search(&mut db, now, &services, dates, |visits, starts| {
            found = starts.into_iter().filter_map(|start| visits.offer(start, now)).collect();
        })
        .await?;
        let tz = services.first().map(|terms| terms.zone).ok_or(Error::NotFound("service"))?;
        let mut days: Vec<VisitDay> = query
            .from
            .iter_days()
            .take_while(|date| *date <= query.to)
            .map(|date| VisitDay { date, slots: Vec::new() })
            .collect();
        for slot in found {
            if let Some(day) = days.iter_mut().find(|day| day.date == slot.start.date_naive()) {
                day.slots.push(slot);
            }
        }
        Ok(VisitSlots { tz, days })
    })
    .await
}

/// The starts nearest to `wanted` at which the whole visit fits, in order of time: at most three, from a week before to
/// three weeks after.
///
/// # Errors
/// As [`visit_slots`].
pub async fn nearest_visits(
    core: &Core,
    wanted_services: &[VisitService],
    wanted: DateTime<Utc>,
) -> Result<Vec<VisitSlot>> {
    let (mut db, now) = (core.pool.acquire().await?, core.now());
    let services = services(&mut db, wanted_services).await?;
    let Some(zone) = services.first().map(|terms| terms.zone) else { return Ok(Vec::new()) };
    if out_of_reach(zone, wanted, now, Limits::Enforced).is_some() {
        return Ok(Vec::new());
    }
    let date = local_date(zone, wanted);
    let mut found = Vec::new();
    search(&mut db, now, &services, (date - Days::new(7), date + Days::new(23)), |visits, mut starts| {
        starts.sort_by_key(|start| ((*start - wanted).abs(), *start));
        found = starts.into_iter().filter_map(|start| visits.offer(start, now)).take(NEAREST).collect();
    })
    .await?;
    found.sort_by_key(|slot| slot.start);
    Ok(found)
}

/// # Errors
/// [`Error::Invalid`] for none, and for more than [`MAX_SERVICES`].
pub(crate) fn require_services(count: usize) -> Result<()> {
    if (1..=MAX_SERVICES).contains(&count) {
        return Ok(());
    }
    let error = ParseError::new("out_of_range", "a visit has 1 to 5 services");
    Err(Error::Invalid { pointer: "/services", error })
}

/// The terms of each service, in their order.
async fn services(db: &mut PgConnection, wanted: &[VisitService]) -> Result<Vec<ServiceTerms>> {
    let mut found = Vec::with_capacity(wanted.len());
    for service in wanted {
        let terms = terms(db, service.service_id, service.staff_id).await?;
        if !terms.active {
            return Err(Error::NotFound("service"));
        }
        if terms.staff_ids.len() > MAX_STAFF {
            let message = "more than 50 perform a service: ask for one of them";
            let error = ParseError::new("too_many_staff", message);
            return Err(Error::Invalid { pointer: "/services", error });
        }
        found.push(terms);
    }
    Ok(found)
}

/// Loads the calendars for visits that start on these dates and calls `use_starts` with the starts of the first service.
async fn search(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    services: &[ServiceTerms],
    (from, to): (NaiveDate, NaiveDate),
    use_starts: impl FnOnce(&VisitPlanner<'_>, Vec<DateTime<Utc>>),
) -> Result<()> {
    let Some(first) = services.first() else { return Ok(()) };
    // Only dates that can have starts; this also keeps extreme dates out of date arithmetic.
    let from = from.max(local_date(first.zone, now));
    let to = to.min(last_bookable_date(first.zone, &first.rules, now));
    if to < from {
        return Ok(());
    }
    let performed: Vec<(&ServiceTerms, &[Uuid])> =
        services.iter().map(|terms| (terms, terms.staff_ids.as_slice())).collect();
    let loaded = VisitPlanner::load(db, now, &performed, (from, to)).await?;
    let visits = VisitPlanner::new(&loaded, &performed, (from, to));
    let mut starts: Vec<DateTime<Utc>> = visits
        .performers
        .first()
        .into_iter()
        .flatten()
        .flat_map(|performer| performer.starts(from, to, now))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    use_starts(&visits, starts);
    Ok(())
}

/// The calendars against which visits are decided.
pub(crate) struct VisitPlanner<'a> {
    loaded: &'a LoadedCalendars,
    zone: Zone,
    service_ids: Vec<Uuid>,
    /// By service of the visit.
    performers: Vec<Vec<Performer<'a>>>,
}

impl<'a> VisitPlanner<'a> {
    /// Loads the calendars for visits of these services, with these staff, that start on the dates `from` to `to`: two
    /// queries, one more for services that need resources. To decide about a booking, the caller has locked calendars and
    /// resources by earlier statements.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn load(
        db: &mut PgConnection,
        now: DateTime<Utc>,
        services: &[(&ServiceTerms, &[Uuid])],
        dates: (NaiveDate, NaiveDate),
    ) -> Result<LoadedCalendars> {
        let zone = services.first().map(|(terms, _)| terms.zone).ok_or(Error::NotFound("service"))?;
        let (from, to) = span(services, dates);
        let mut staff_ids: Vec<Uuid> = services.iter().flat_map(|(_, ids)| *ids).copied().collect();
        staff_ids.sort_unstable();
        staff_ids.dedup();
        let days: Vec<DateTime<Utc>> =
            from.iter_days().take_while(|date| *date <= to).map(|date| day_start(zone, date)).collect();
        let starts: Vec<(DateTime<Utc>, &[Uuid])> =
            days.iter().map(|day| (*day, staff_ids.as_slice())).collect();
        let mut loaded = LoadedCalendars::load(db, now, zone, &starts, &[]).await?;
        let needing: Vec<(DateTime<Utc>, &ServiceTerms)> =
            days.iter().flat_map(|day| services.iter().map(|(terms, _)| (*day, *terms))).collect();
        loaded.load_resources(db, now, &needing, &[]).await?;
        Ok(loaded)
    }

    /// For visits of these services that start on these dates; the calendars were loaded for the same.
    pub(crate) fn new(
        loaded: &'a LoadedCalendars,
        services: &[(&'a ServiceTerms, &[Uuid])],
        dates: (NaiveDate, NaiveDate),
    ) -> Self {
        let dates = span(services, dates);
        Self {
            loaded,
            zone: services.first().map_or(Zone::UTC, |(terms, _)| terms.zone),
            service_ids: services.iter().map(|(terms, _)| terms.rules.service_id).collect(),
            performers: services.iter().map(|(terms, ids)| loaded.performers(terms, ids, dates)).collect(),
        }
    }

    /// The places of the services of a visit that begins at `start`. Of staff who are not asked for, those with the fewest
    /// bookings on that day come first, then by id.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub(crate) fn plan(
        &self,
        start: DateTime<Utc>,
        now: DateTime<Utc>,
        limits: Limits,
    ) -> Result<Vec<Placed>, NoPlace> {
        if let Some(refusal) = out_of_reach(self.zone, start, now, limits) {
            return Err(NoPlace { at: 0, refusal });
        }
        let date = local_date(self.zone, start);
        let day: Instants = (day_start(self.zone, date), day_start(self.zone, after_date(date)));
        let steps: Vec<Step<'_>> = self
            .performers
            .iter()
            .map(|performers| {
                let mut step: Step<'_> = performers.iter().collect();
                if step.len() > 1 {
                    step.sort_by_cached_key(|performer| {
                        (self.loaded.starting(performer.staff_id(), day), performer.staff_id())
                    });
                }
                step
            })
            .collect();
        plan_visit(&steps, start, now, limits)
    }

    /// The visit at this start, if it fits.
    fn offer(&self, start: DateTime<Utc>, now: DateTime<Utc>) -> Option<VisitSlot> {
        let placed = self.plan(start, now, Limits::Enforced).ok()?;
        let at = |instant: DateTime<Utc>| self.zone.at(instant);
        let services: Vec<VisitPart> = placed
            .iter()
            .zip(&self.service_ids)
            .map(|(placed, service_id)| VisitPart {
                service_id: *service_id,
                staff_id: placed.staff_id,
                start: at(placed.place.during.start()),
                end: at(placed.place.during.end()),
            })
            .collect();
        let (start, end) = (services.first()?.start, services.last()?.end);
        Some(VisitSlot { start, end, services })
    }
}

/// The dates on which services of visits can start that begin on these dates.
fn span(services: &[(&ServiceTerms, &[Uuid])], (from, to): (NaiveDate, NaiveDate)) -> (NaiveDate, NaiveDate) {
    let longest = |terms: &ServiceTerms| {
        let own = terms.staff_terms.iter().filter_map(|own| own.duration_min);
        let minutes = own.chain([terms.rules.duration_min]).max().unwrap_or_default();
        minutes + terms.rules.buffer_before_min + terms.rules.buffer_after_min
    };
    let minutes: u32 = services.iter().map(|(terms, _)| longest(terms)).sum();
    (from, to + Days::new(u64::from(minutes.div_ceil(24 * 60))))
}
