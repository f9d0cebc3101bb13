//! The services of one visit, one after the other, as they are chosen on pages.

use chrono::{DateTime, NaiveDate, Utc};
use punctual_core::{
    Core, Result, VisitSlot,
    services::Service,
    slots::{self, DaySlots, MAX_SERVICES, OfferedSlot, VisitDay, VisitQuery, VisitService},
    types::{Locale, Zone},
};
use uuid::Uuid;

/// One service or several in order.
pub(super) struct Chain<'d>(Vec<&'d Service>);

impl<'d> Chain<'d> {
    /// As many of the services as a visit can have.
    pub(super) fn new(services: impl Iterator<Item = &'d Service>) -> Self {
        Self(services.take(MAX_SERVICES).collect())
    }

    pub(super) fn services(&self) -> &[&'d Service] {
        &self.0
    }

    pub(super) fn is_visit(&self) -> bool {
        self.0.len() > 1
    }

    pub(super) fn may_grow(&self) -> bool {
        self.0.len() < MAX_SERVICES
    }

    pub(super) fn names(&self, locale: Locale) -> Vec<String> {
        self.0.iter().map(|service| service.spec.text(locale).name.as_str().to_owned()).collect()
    }

    /// The same without the one at this place; none if there is no other.
    pub(super) fn without(&self, at: usize) -> Option<Self> {
        let mut left = self.0.clone();
        left.remove(at);
        (!left.is_empty()).then_some(Self(left))
    }

    /// Whether the member of staff performs one of them.
    pub(super) fn is_performed_by(&self, staff_id: Uuid) -> bool {
        self.0.iter().any(|service| service.spec.staff_ids.contains(&staff_id))
    }

    /// The services of a visit, with this member of staff as far as they perform them.
    pub(super) fn wanted(&self, staff_id: Option<Uuid>) -> Vec<VisitService> {
        let wanted = |service: &&Service| VisitService {
            service_id: service.id,
            staff_id: staff_id.filter(|id| service.spec.staff_ids.contains(id)),
        };
        self.0.iter().map(wanted).collect()
    }

    /// The starts at which all of them fit.
    pub(super) async fn visits(
        &self,
        core: &Core,
        staff_id: Option<Uuid>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<VisitDay>> {
        let query = VisitQuery { services: self.wanted(staff_id), from, to };
        Ok(slots::visit_slots(core, &query).await?.days)
    }

    /// The visit as it would be booked at this start; none if it does not fit.
    pub(super) async fn planned(
        &self,
        core: &Core,
        zone: Zone,
        staff_id: Option<Uuid>,
        start: DateTime<Utc>,
    ) -> Result<Option<VisitSlot>> {
        let date = zone.at(start).date_naive();
        let days = self.visits(core, staff_id, (date, date)).await?;
        Ok(days.into_iter().flat_map(|day| day.slots).find(|slot| slot.start.to_utc() == start))
    }
}

/// The starts of visits as those of a service, with who performs the first.
pub(super) fn day_of_starts(day: VisitDay) -> DaySlots {
    let slots = day.slots.into_iter().map(|slot| OfferedSlot {
        start: slot.start,
        end: slot.end,
        staff_ids: slot.services.iter().take(1).map(|part| part.staff_id).collect(),
        seats_left: 1,
    });
    DaySlots { date: day.date, slots: slots.collect() }
}
