use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::bookings::{self, ClassOf};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Booking,
};

/// Classes by start.
#[derive(Debug, Object, Serialize)]
pub struct ClassList {
    /// Planned or booked ones.
    #[oai(validator(max_items = 10000))]
    data: Vec<Class>,
}

/// A class.
#[derive(Debug, Object, Serialize)]
pub struct Class {
    /// Its service.
    service_id: Uuid,
    /// Name of the service.
    #[oai(validator(max_length = 200))]
    service_name: String,
    /// Who performs it.
    staff_id: Uuid,
    /// Their name.
    #[oai(validator(max_length = 200))]
    staff_name: String,
    /// When it starts, with the offset of the business's zone.
    start: DateTime<FixedOffset>,
    /// When it ends.
    end: DateTime<FixedOffset>,
    /// How many seats it has.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    capacity: u32,
    /// How many are held, requested or booked.
    #[oai(validator(minimum(value = "0")))]
    seats_taken: u32,
    /// Bookings by seat: holds, pending, confirmed, completed and missed ones.
    #[oai(validator(max_items = 1000))]
    participants: Vec<Booking>,
}

impl From<ClassOf> for Class {
    fn from(class: ClassOf) -> Self {
        Self {
            service_id: class.service_id,
            service_name: class.service_name,
            staff_id: class.staff_id,
            staff_name: class.staff_name,
            start: class.start,
            end: class.end,
            capacity: class.capacity,
            seats_taken: class.seats_taken,
            participants: class.participants.into_iter().map(Booking::from).collect(),
        }
    }
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listClasses", Access::STAFF).problems(&[Code::NotFound, Code::Unprocessable]);

#[derive(Default)]
pub struct ListClasses;

#[OpenApi]
impl ListClasses {
    /// List classes with their participants
    ///
    /// The classes that start on these dates: those a timetable plans, booked or not, and those of other services with several
    /// seats that have a booking.
    #[oai(path = "/v1/classes", method = "get", operation_id = "listClasses", tag = "Tag::Bookings")]
    async fn list_classes(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 30 days after the first.
        to: Query<NaiveDate>,
        /// Those of one member of staff.
        staff_id: Query<Option<Uuid>>,
    ) -> Result<Found<ClassList>, Problem> {
        let actor = caller.actor();
        let classes = bookings::classes(&state.core, &actor, (from.0, to.0), staff_id.0).await?;
        Ok(Found::new(ClassList { data: classes.into_iter().map(Class::from).collect() }))
    }
}
