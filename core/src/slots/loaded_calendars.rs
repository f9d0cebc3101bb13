//! The calendars against which one batch of bookings is decided. Each decision sees the places that earlier ones took.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::load::{Instants, around, bookings, opening_hours, span_of};
use super::resources::{candidates, resource_times};
use super::{ServiceTerms, StaffAnswer, StartQuery};
use crate::Result;
use crate::calendar::{
    Busy, BusyResources, Calendar, Limits, Performer, Place, Seats, after_date, day_start, is_bookable,
    local_date, out_of_reach,
};
use crate::types::Zone;

/// Calendars by member of staff, as far as the starts of one batch need them.
pub struct LoadedCalendars {
    calendars: HashMap<Uuid, Calendar>,
    seats: HashMap<Uuid, Vec<Seats>>,
    /// Seats that this batch took, by class.
    taken: HashMap<Uuid, i32>,
    /// When resources are in use, by resource.
    resources: HashMap<Uuid, Vec<Seats>>,
}

impl LoadedCalendars {
    /// Loads the calendars for these starts with these staff by two queries. The caller has locked the staff rows by an
    /// earlier statement. Starts that are out of reach need no calendar and are left out. The bookings `exclude`, which are to
    /// be moved, count as free.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load(
        db: &mut PgConnection,
        now: DateTime<Utc>,
        zone: Zone,
        starts: &[(DateTime<Utc>, &[Uuid])],
        exclude: &[Uuid],
    ) -> Result<Self> {
        let mut wanted: BTreeMap<Uuid, Vec<NaiveDate>> = BTreeMap::new();
        for (start, staff_ids) in starts {
            if out_of_reach(zone, *start, now, Limits::Overridden).is_none() {
                let date = local_date(zone, *start);
                staff_ids.iter().for_each(|id| wanted.entry(*id).or_default().push(date));
            }
        }
        Self::load_dates(db, now, zone, wanted, exclude).await
    }

    /// [`Self::load`] for starts on these dates, by member of staff. No date is out of reach.
    pub(super) async fn load_dates(
        db: &mut PgConnection,
        now: DateTime<Utc>,
        zone: Zone,
        wanted: BTreeMap<Uuid, Vec<NaiveDate>>,
        exclude: &[Uuid],
    ) -> Result<Self> {
        let mut loaded = Self {
            calendars: HashMap::new(),
            seats: HashMap::new(),
            taken: HashMap::new(),
            resources: HashMap::new(),
        };
        let dates = wanted.values().flatten();
        let Some((first, last)) = dates.clone().min().zip(dates.max()) else { return Ok(loaded) };
        let staff_ids: Vec<Uuid> = wanted.keys().copied().collect();
        let calendars = opening_hours(db, zone, &staff_ids, (*first, *last)).await?;
        loaded.seats = bookings(db, now, &ranges(zone, wanted), exclude).await?;
        loaded.calendars = calendars.into_iter().map(|calendar| (calendar.staff_id, calendar)).collect();
        for (id, seats) in &loaded.seats {
            if let Some(calendar) = loaded.calendars.get_mut(id) {
                calendar.busy = Busy::new(seats.iter().copied());
            }
        }
        Ok(loaded)
    }

    /// Loads when the resources are in use that these terms can need, for these starts; one query, none without needs. The caller
    /// has locked them by an earlier statement. The bookings `exclude`, which are to be moved, count as free.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load_resources(
        &mut self,
        db: &mut PgConnection,
        now: DateTime<Utc>,
        starts: &[(DateTime<Utc>, &ServiceTerms)],
        exclude: &[Uuid],
    ) -> Result<()> {
        let in_reach = starts
            .iter()
            .filter(|(start, terms)| out_of_reach(terms.zone, *start, now, Limits::Overridden).is_none())
            .map(|(start, terms)| (local_date(terms.zone, *start), *terms));
        self.load_resources_on(db, now, in_reach, exclude).await
    }

    /// [`Self::load_resources`] for starts on these dates. No date is out of reach.
    pub(super) async fn load_resources_on<'t>(
        &mut self,
        db: &mut PgConnection,
        now: DateTime<Utc>,
        starts: impl Iterator<Item = (NaiveDate, &'t ServiceTerms)> + Clone,
        exclude: &[Uuid],
    ) -> Result<()> {
        let needing = starts.filter(|(_, terms)| !terms.rules.needs.is_empty());
        let dates = needing.clone().map(|(date, _)| date);
        let Some((first, last)) = dates.clone().min().zip(dates.max()) else { return Ok(()) };
        let Some(zone) = needing.clone().next().map(|(_, terms)| terms.zone) else { return Ok(()) };
        let ids = candidates(needing.map(|(_, terms)| terms));
        self.resources = resource_times(db, now, &ids, around(span_of(zone, first, last)), exclude).await?;
        self.share_resources();
        Ok(())
    }

    /// The calendars of these members of staff that are loaded, in their order.
    pub(super) fn calendars_of<'a, 'b>(
        &'a self,
        staff_ids: &'b [Uuid],
    ) -> impl Iterator<Item = &'a Calendar> + use<'a, 'b> {
        staff_ids.iter().filter_map(|id| self.calendars.get(id))
    }

    /// Lets every calendar see when resources are in use.
    fn share_resources(&mut self) {
        let resources = Arc::new(BusyResources::new(&self.resources));
        for calendar in self.calendars.values_mut() {
            calendar.resources = Arc::clone(&resources);
        }
    }

    /// Checks the start with [`is_bookable`] in the calendars of these members of staff: those with the fewest bookings on
    /// the start's local date first, then by id.
    #[must_use]
    pub fn check_start(
        &self,
        now: DateTime<Utc>,
        terms: &ServiceTerms,
        staff_ids: &[Uuid],
        query: StartQuery,
    ) -> Vec<StaffAnswer> {
        let StartQuery { start, limits, seats, .. } = query;
        if let Some(refusal) = out_of_reach(terms.zone, start, now, limits) {
            return staff_ids.iter().map(|&staff_id| StaffAnswer { staff_id, place: Err(refusal) }).collect();
        }
        let mut calendars: Vec<&Calendar> = self.calendars_of(staff_ids).collect();
        if calendars.len() > 1 {
            let date = local_date(terms.zone, start);
            let day = (day_start(terms.zone, date), day_start(terms.zone, after_date(date)));
            calendars
                .sort_by_cached_key(|calendar| (self.starting(calendar.staff_id, day), calendar.staff_id));
        }
        calendars
            .into_iter()
            .map(|calendar| StaffAnswer {
                staff_id: calendar.staff_id,
                place: is_bookable(calendar, &terms.rules_with(calendar.staff_id), start, now, limits)
                    .and_then(|place| place.for_seats(seats)),
            })
            .collect()
    }

    /// Those of these members of staff whose calendars are loaded, as performers of the service on these dates.
    pub(super) fn performers<'a>(
        &'a self,
        terms: &'a ServiceTerms,
        staff_ids: &[Uuid],
        dates: (NaiveDate, NaiveDate),
    ) -> Vec<Performer<'a>> {
        self.calendars_of(staff_ids)
            .map(|calendar| Performer::new(calendar, terms.rules_with(calendar.staff_id), dates))
            .collect()
    }

    /// How many bookings of the member of staff start in the range.
    pub(super) fn starting(&self, staff_id: Uuid, (from, to): Instants) -> usize {
        let seats = self.seats.get(&staff_id).map(Vec::as_slice).unwrap_or_default();
        seats.iter().filter(|seat| (from..to).contains(&seat.during.start())).count()
    }

    /// Takes `count` seats of the place for the booking with this id. Returns how many seats of its class this batch took before.
    pub(crate) fn take(
        &mut self,
        staff_id: Uuid,
        place: &Place,
        (booking_id, count): (Uuid, u32),
        held_until: Option<DateTime<Utc>>,
    ) -> i32 {
        let class_id = place.class_id.unwrap_or(booking_id);
        let seats = self.seats.entry(staff_id).or_default();
        seats.push(Seats { class_id, during: place.during, blocked: place.blocked, count, held_until });
        if let Some(calendar) = self.calendars.get_mut(&staff_id) {
            calendar.busy = Busy::new(seats.iter().copied());
        }
        let seat = Seats { class_id, during: place.blocked, blocked: place.blocked, count, held_until };
        for id in place.resources.ids() {
            self.resources.entry(id).or_default().push(seat);
        }
        if place.resources.ids().next().is_some() {
            self.share_resources();
        }
        let taken = self.taken.entry(class_id).or_default();
        let before = *taken;
        *taken += count.cast_signed();
        before
    }
}

/// The ranges in which bookings matter, one query range for dates that are close to each other.
fn ranges(zone: Zone, wanted: BTreeMap<Uuid, Vec<NaiveDate>>) -> Vec<(Uuid, Instants)> {
    /// Ranges of dates nearer than this overlap once bookings that reach into them are included.
    const NEAR_DAYS: i64 = 5;
    let mut ranges = Vec::with_capacity(wanted.len());
    for (id, mut dates) in wanted {
        dates.sort_unstable();
        let mut merged: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        for date in dates {
            match merged.last_mut() {
                Some((_, last)) if (date - *last).num_days() <= NEAR_DAYS => *last = date,
                _ => merged.push((date, date)),
            }
        }
        ranges.extend(merged.into_iter().map(|(first, last)| (id, span_of(zone, first, last))));
    }
    ranges
}
