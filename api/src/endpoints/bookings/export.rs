use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    bookings::{self, ListBookings},
    pool::again_if_cut,
    types::{EmailAddress, Note, PageSize, PersonName, Phone},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{params::Query, problem::Problem},
    state::State,
    views::{CsvFile, Status},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("exportBookings", Access::STAFF);

/// Rows per query.
const ROWS: u32 = 100;

const COLUMNS: [&str; 18] = [
    "id",
    "start",
    "end",
    "zone",
    "status",
    "service",
    "staff",
    "customer",
    "email",
    "phone",
    "for_whom",
    "seats",
    "price_minor",
    "currency",
    "customer_note",
    "staff_note",
    "created_at",
    "updated_at",
];

#[derive(Default)]
pub struct ExportBookings;

#[expect(clippy::unused_async, reason = "an operation is an async function")]
#[OpenApi]
impl ExportBookings {
    /// Export bookings
    ///
    /// As CSV, by start. A text that a spreadsheet would run as a formula begins with an apostrophe.
    #[oai(path = "/v1/bookings.csv", method = "get", operation_id = "exportBookings", tag = "Tag::Bookings")]
    async fn export_bookings(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Those that start at this instant or later.
        from: Query<Option<DateTime<FixedOffset>>>,
        /// Those that start before this instant.
        to: Query<Option<DateTime<FixedOffset>>>,
        /// Those of this status; may be repeated.
        #[oai(validator(max_items = 8, unique_items))]
        status: Query<Option<Vec<Status>>>,
        /// Those with this member of staff.
        staff_id: Query<Option<Uuid>>,
    ) -> Result<CsvFile, Problem> {
        let which = ListBookings {
            from: from.0.map(|from| from.to_utc()),
            to: to.0.map(|to| to.to_utc()),
            statuses: status.0.unwrap_or_default().into_iter().map(|status| status.0).collect(),
            staff_id: staff_id.0,
            limit: PageSize::new(ROWS).unwrap_or_default(),
            ..ListBookings::default()
        };
        let (core, actor) = (state.core.clone(), caller.actor());
        let page = move |cursor| {
            let (core, which) = (core.clone(), ListBookings { cursor, ..which.clone() });
            async move { again_if_cut(|| bookings::list(&core, &actor, &which)).await }
        };
        Ok(CsvFile::new("bookings.csv", &COLUMNS, page, cells))
    }
}

fn cells(booking: bookings::Booking) -> Vec<String> {
    let customer = booking.customer.as_ref();
    let name = customer.and_then(|customer| customer.name.as_ref()).map(PersonName::as_str);
    let email = customer.and_then(|customer| customer.email.as_ref()).map(EmailAddress::as_str);
    let phone = customer.and_then(|customer| customer.phone.as_ref()).map(Phone::as_str);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    vec![
        booking.id.to_string(),
        booking.start.to_rfc3339(),
        booking.end.to_rfc3339(),
        booking.zone.name().to_owned(),
        booking.status.as_str().to_owned(),
        booking.service.name,
        booking.staff.name,
        text(name),
        text(email),
        text(phone),
        text(booking.for_whom.as_ref().map(PersonName::as_str)),
        booking.seats.to_string(),
        booking.service.price.minor.to_string(),
        booking.service.price.currency.as_str().to_owned(),
        booking.customer_note.as_str().to_owned(),
        text(booking.staff_note.as_ref().map(Note::as_str)),
        booking.created_at.to_rfc3339(),
        booking.updated_at.to_rfc3339(),
    ]
}
