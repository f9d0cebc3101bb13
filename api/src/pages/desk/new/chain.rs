//! The services of one visit, as they are chosen at the desk.

use chrono::{DateTime, NaiveDate, Utc};
use punctual_core::{
    Result,
    services::Service,
    slots::{self, DaySlots, MAX_SERVICES, OfferedSlot, SlotQuery, VisitDay, VisitQuery, VisitService},
    storefront::Storefront,
};
use uuid::Uuid;

use super::{Desk, date_of, name_of};
use crate::http::problem::Problem;

/// One service or several in order.
pub(super) struct Chain<'d>(Vec<&'d Service>);

impl<'d> Chain<'d> {
    /// The first service and those of the list after it. Unknown ones are left out.
    pub(super) fn of(front: &'d Storefront, first: &'d Service, then: Option<&str>) -> Self {
        let ids = then.unwrap_or_default().split(',').filter_map(|text| Uuid::try_parse(text).ok());
        let then = ids.filter_map(|id| front.service(id).ok());
        Self(std::iter::once(first).chain(then).take(MAX_SERVICES).collect())
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

    pub(super) fn names(&self, desk: &Desk) -> Vec<String> {
        self.0.iter().map(|service| name_of(desk, service)).collect()
    }

    /// The services after the first, as the address has them; none for a single one.
    pub(super) fn then(&self) -> Option<String> {
        let ids: Vec<String> = self.0.iter().skip(1).map(|service| service.id.to_string()).collect();
        (!ids.is_empty()).then(|| ids.join(","))
    }

    /// The same with one more.
    pub(super) fn then_with(&self, id: Uuid) -> String {
        self.then().map_or_else(|| id.to_string(), |then| format!("{then},{id}"))
    }

    /// First and later services without the one at this place; none if there is no other.
    pub(super) fn without(&self, at: usize) -> Option<(Uuid, Option<String>)> {
        let mut left = self.0.clone();
        left.remove(at);
        Some((left.first()?.id, Self(left).then()))
    }

    /// Whether the member of staff performs one of them.
    pub(super) fn is_performed_by(&self, staff_id: Uuid) -> bool {
        self.0.iter().any(|service| service.spec.staff_ids.contains(&staff_id))
    }

    /// How many seats are wanted, at most those of one class; one in a visit.
    pub(super) fn seats(&self, asked: Option<&str>) -> u32 {
        let most = if self.is_visit() { 1 } else { self.0.first().map_or(1, |first| first.spec.capacity) };
        asked.and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, most)
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
        desk: &Desk,
        staff_id: Option<Uuid>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<VisitDay>> {
        let query = VisitQuery { services: self.wanted(staff_id), from, to };
        Ok(slots::visit_slots(desk.core(), &query).await?.days)
    }

    /// The free starts by date.
    pub(super) async fn list(
        &self,
        desk: &Desk,
        staff_id: Option<Uuid>,
        (from, to): (NaiveDate, NaiveDate),
        seats: u32,
    ) -> Result<Vec<DaySlots>> {
        if self.is_visit() {
            let days = self.visits(desk, staff_id, (from, to)).await?;
            return Ok(days.into_iter().map(day_of_starts).collect());
        }
        let service_id = self.0.first().map(|first| first.id).unwrap_or_default();
        let query = SlotQuery { service_id, staff_id, from, to, seats, exclude_booking: None };
        Ok(slots::list(desk.core(), &query).await?.days)
    }

    /// Whether the time is one of the list.
    pub(super) async fn is_offered(
        &self,
        desk: &Desk,
        staff_id: Option<Uuid>,
        start: DateTime<Utc>,
    ) -> Result<bool, Problem> {
        let date = date_of(desk, start)?;
        let days = self.list(desk, staff_id, (date, date), 1).await?;
        Ok(days.iter().flat_map(|day| &day.slots).any(|slot| slot.start.to_utc() == start))
    }
}

/// The starts of visits as those of a service, with who performs the first.
fn day_of_starts(day: VisitDay) -> DaySlots {
    let slots = day.slots.into_iter().map(|slot| OfferedSlot {
        start: slot.start,
        end: slot.end,
        staff_ids: slot.services.iter().take(1).map(|part| part.staff_id).collect(),
        seats_left: 1,
    });
    DaySlots { date: day.date, slots: slots.collect() }
}
