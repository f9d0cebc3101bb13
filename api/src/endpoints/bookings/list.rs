use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate};
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{bookings, pool::again_if_cut, types::PageSize};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::{BookingPage, ListOrder, Status},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listBookings", Access::ACCOUNT).problems(&[Code::Forbidden]);

#[derive(Default)]
pub struct ListBookings;

#[OpenApi]
impl ListBookings {
    /// List bookings
    ///
    /// By start: all bookings for staff, their own for customers. Holds are listed only with the status filter `held`. Filters
    /// are combined with AND.
    #[oai(path = "/v1/bookings", method = "get", operation_id = "listBookings", tag = "Tag::Bookings")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the operation")]
    async fn list_bookings(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Those that start at this instant or later.
        from: Query<Option<DateTime<FixedOffset>>>,
        /// Those that start before this instant.
        to: Query<Option<DateTime<FixedOffset>>>,
        /// Those that start on this date, in the business's time zone.
        date: Query<Option<NaiveDate>>,
        /// Those that changed at this instant or later.
        updated_since: Query<Option<DateTime<FixedOffset>>>,
        /// Words in name, address or phone number of the customer, in any order; for staff.
        #[oai(validator(max_length = 100))]
        q: Query<Option<String>>,
        /// Those of this status; may be repeated.
        #[oai(validator(max_items = 8, unique_items))]
        status: Query<Option<Vec<Status>>>,
        /// Those with this member of staff.
        staff_id: Query<Option<Uuid>>,
        /// Those of this customer; for staff.
        customer_id: Query<Option<Uuid>>,
        /// Earliest start first when absent.
        order: Query<Option<ListOrder>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<BookingPage>, Problem> {
        let actor = caller.actor();
        if customer_id.0.is_some() && !actor.is_staff() {
            return Err(Problem::new(Code::Forbidden).detail("customer_id is for staff."));
        }
        if q.0.is_some() && !actor.is_staff() {
            return Err(Problem::new(Code::Forbidden).detail("q is for staff."));
        }
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let which = bookings::ListBookings {
            from: from.0.map(|from| from.to_utc()),
            to: to.0.map(|to| to.to_utc()),
            date: date.0,
            updated_since: updated_since.0.map(|since| since.to_utc()),
            search: q.0.unwrap_or_default(),
            order: order.0.unwrap_or_default().into(),
            statuses: status.0.unwrap_or_default().into_iter().map(|status| status.0).collect(),
            staff_id: staff_id.0,
            customer_id: customer_id.0,
            limit,
            cursor: cursor.0.map(|cursor| cursor.0),
        };
        let page = again_if_cut(|| bookings::list(&state.core, &actor, &which)).await?;
        Ok(Found::new(BookingPage::from(page)))
    }
}
