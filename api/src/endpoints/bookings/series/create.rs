use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, param::Header};
use punctual_core::{
    bookings::{self, Mode, NewBooking, NewSeries, RequestedSlot, SlotSource},
    calendar::Every,
    types::{Actor, Note},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::{
        Tag,
        bookings::create::{ContactRequest, booker},
    },
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::{Created, Either, Found},
        values::{IdempotencyKey, Name, NoteText},
    },
    state::State,
    views::{Interval, SeriesMade},
};

/// A series to be booked.
#[derive(Debug, Object)]
pub struct SeriesRequest {
    /// The service.
    service_id: Uuid,
    /// The member of staff. Absent: the one who performs the first occurrence also performs the others, where free.
    staff_id: Option<Uuid>,
    /// When the first one starts: RFC 3339 with an offset.
    start: DateTime<FixedOffset>,
    /// How many seats of a class each takes; 1 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    seats: Option<u32>,
    /// From one occurrence to the next; the time of day stays.
    every: Interval,
    /// How many, the first included.
    #[oai(validator(minimum(value = "2"), maximum(value = "52")))]
    count: u16,
    /// What happens if some are not free; `all` when absent.
    mode: Option<SeriesMode>,
    /// Whether only to say what would be booked; false when absent.
    dry_run: Option<bool>,
    /// The customer on file it is for.
    customer_id: Option<Uuid>,
    /// In place of `customer_id`: the details of a new customer.
    contact: Option<ContactRequest>,
    /// Who comes in the customer's place, such as a child or partner; absent: the customer.
    for_whom: Option<Name>,
    /// What the customer says.
    customer_note: Option<NoteText>,
    /// A note that customers never see.
    staff_note: Option<NoteText>,
    /// Whether the customer gets reminders of them; true when absent.
    reminders: Option<bool>,
    /// Pass grid and hours on purpose; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// Whether the customer gets a mail that they were made; true when absent. Reminders stay.
    notify: Option<bool>,
}

/// What happens if some occurrences are not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SeriesMode {
    /// Nothing is booked.
    All,
    /// Those that are free are booked.
    Available,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createSeries", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::SeriesConflict,
        Code::IdempotencyInProgress,
        Code::IdempotencyKeyReused,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateSeries;

#[OpenApi]
impl CreateSeries {
    /// Book a series
    ///
    /// Books the same service at the same time of day of several dates, all or nothing, and sends one confirmation of all.
    /// Each occurrence is a booking of its own, with its own reminders. Hours, closures and other bookings are asked as for a
    /// single booking; notice and horizon are not. The answer says of each occurrence whether it has a place. With `dry_run`
    /// nothing is booked, and the status is 200.
    #[oai(path = "/v1/series", method = "post", operation_id = "createSeries", tag = "Tag::Bookings")]
    async fn create_series(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each series.
        #[oai(name = "Idempotency-Key")]
        key: Header<IdempotencyKey>,
        body: Body<SeriesRequest>,
    ) -> Result<Either<Created<SeriesMade>, Found<SeriesMade>>, Problem> {
        let actor = caller.actor();
        let key = key.0.parsed()?;
        let dry_run = body.0.dry_run.unwrap_or(false);
        let new = body.0.into_core(&actor)?;
        if dry_run {
            let tried = bookings::try_series(&state.core, &actor, new).await?;
            return Ok(Either::Second(Found::new(tried.into())));
        }
        let answer = bookings::create_series(&state.core, &actor, &key, new).await?;
        let made = answer.value;
        let reply = match (made.id, &made.series) {
            (Some(id), Some(series)) => {
                let rev = series.rev;
                Created::new(made.into()).rev(rev).location(&format!("/v1/series/{id}"))
            }
            _ => Created::new(made.into()),
        };
        Ok(Either::First(reply.replayed(answer.replayed)))
    }
}

impl SeriesRequest {
    fn into_core(self, actor: &Actor) -> Result<NewSeries, Problem> {
        let every = every(&self.every)?;
        let slot = RequestedSlot {
            service_id: self.service_id,
            staff_id: self.staff_id,
            start: self.start.to_utc(),
            seats: self.seats.unwrap_or(1),
        };
        let note = |text: Option<NoteText>| text.map_or_else(Note::empty, |text| text.0);
        let first = NewBooking {
            slot: SlotSource::Slot(slot),
            booker: booker(actor, self.customer_id, self.contact)?,
            for_whom: self.for_whom.map(|name| name.0),
            customer_note: note(self.customer_note),
            staff_note: note(self.staff_note),
            reminders: self.reminders.unwrap_or(true),
            overriding: self.overriding.unwrap_or(false),
            no_mail: !self.notify.unwrap_or(true),
        };
        let mode = match self.mode {
            Some(SeriesMode::Available) => Mode::Available,
            Some(SeriesMode::All) | None => Mode::All,
        };
        Ok(NewSeries { first, every, count: self.count, mode })
    }
}

fn every(interval: &Interval) -> Result<Every, Problem> {
    match (interval.days, interval.weeks, interval.months) {
        (Some(n), None, None) => Ok(Every::Days(n)),
        (None, Some(n), None) => Ok(Every::Weeks(n)),
        (None, None, Some(n)) => Ok(Every::Months(n)),
        _ => {
            let expected = "has exactly one of days, weeks and months";
            Err(Problem::invalid_at(Place::Body, "/every", "conflict", expected))
        }
    }
}
