//! The services of one visit in the addresses of the desk.

use chrono::{DateTime, NaiveDate, Utc};
use punctual_core::{
    Result,
    services::Service,
    slots::{self, DaySlots, SlotQuery},
    storefront::Storefront,
};
use uuid::Uuid;

use super::{Desk, date_of};
use crate::{
    http::problem::Problem,
    pages::chain::{Chain, day_of_starts},
};

impl<'d> Chain<'d> {
    /// The first service and those of the list after it. Unknown ones are left out.
    pub(super) fn of(front: &'d Storefront, first: &'d Service, then: Option<&str>) -> Self {
        let ids = then.unwrap_or_default().split(',').filter_map(|text| Uuid::try_parse(text).ok());
        let then = ids.filter_map(|id| front.service(id).ok());
        Self::new(std::iter::once(first).chain(then))
    }

    /// The services after the first, as the address has them; none for a single one.
    pub(super) fn then(&self) -> Option<String> {
        let ids: Vec<String> = self.services().iter().skip(1).map(|service| service.id.to_string()).collect();
        (!ids.is_empty()).then(|| ids.join(","))
    }

    /// The same with one more.
    pub(super) fn then_with(&self, id: Uuid) -> String {
        self.then().map_or_else(|| id.to_string(), |then| format!("{then},{id}"))
    }

    /// How many seats are wanted, at most those of one class; one in a visit.
    pub(super) fn seats(&self, asked: Option<&str>) -> u32 {
        let capacity = self.services().first().map_or(1, |first| first.spec.capacity);
        let most = if self.is_visit() { 1 } else { capacity };
        asked.and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, most)
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
            let days = self.visits(desk.core(), staff_id, (from, to)).await?;
            return Ok(days.into_iter().map(day_of_starts).collect());
        }
        let service_id = self.services().first().map(|first| first.id).unwrap_or_default();
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
