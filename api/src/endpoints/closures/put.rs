use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{hours, types::Reason};
use serde::Serialize;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
        values::ReasonText,
    },
    state::State,
    views::{Closure, StrandedBooking},
};

/// A closure.
#[derive(Debug, Object)]
pub struct ClosureRequest {
    /// Reason, for staff; empty when absent.
    reason: Option<ReasonText>,
}

/// The closure, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct ClosureChanged {
    /// The closure.
    closure: Closure,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("putClosure", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct PutClosure;

#[OpenApi]
impl PutClosure {
    /// Close the business on a date
    ///
    /// Takes precedence over all hours of that date. The answer lists bookings that no longer fit; they are not
    /// changed.
    #[oai(path = "/v1/closures/:date", method = "put", operation_id = "putClosure", tag = "Tag::Catalogue")]
    async fn put_closure(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The date, in the business's time zone.
        date: Path<NaiveDate>,
        body: Body<ClosureRequest>,
    ) -> Result<Found<ClosureChanged>, Problem> {
        let reason = body.0.reason.map_or_else(Reason::default, |reason| reason.0);
        let changed = hours::close(&state.core, hours::Closure { date: date.0, reason }).await?;
        Ok(Found::new(ClosureChanged {
            closure: Closure::new(changed.value, true),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        }))
    }
}
