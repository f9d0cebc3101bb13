use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::{
    bookings,
    calendar::Span,
    hours::{self, NewTimeOff},
    types::Reason,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::Created,
        values::{IdempotencyKey, ReasonText},
    },
    state::State,
    views::{Proposal, StrandedBooking, TimeOff},
};

/// The longest time off, in days.
const MAX_DAYS: i64 = 366;

/// Input for new time off.
#[derive(Debug, Object)]
pub struct TimeOffRequest {
    /// The start.
    start: DateTime<FixedOffset>,
    /// End, exclusive; after the start, at most 366 days.
    end: DateTime<FixedOffset>,
    /// Reason, for staff; empty when absent.
    reason: Option<ReasonText>,
}

/// The time off, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct TimeOffCreated {
    /// The time off.
    time_off: TimeOff,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
    /// Alternatives for the first 50 of them that are pending or confirmed. Apply them with `POST /v1/bookings/batch`.
    #[oai(validator(max_items = 50))]
    proposals: Vec<Proposal>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createTimeOff", Access::STAFF)
    .problems(&[Code::NotFound, Code::IdempotencyInProgress, Code::IdempotencyKeyReused, Code::Overloaded])
    .headers(&[SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateTimeOff;

#[OpenApi]
impl CreateTimeOff {
    /// Add time off
    ///
    /// Administrators and the front desk for anyone, staff for themselves. The answer lists bookings that no longer fit, with
    /// alternatives; they are not changed.
    #[oai(
        path = "/v1/staff/:id/time-off",
        method = "post",
        operation_id = "createTimeOff",
        tag = "Tag::Catalogue"
    )]
    async fn create_time_off(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// A key of your choice, new for each object: repeating the request with it creates nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<TimeOffRequest>,
    ) -> Result<Created<TimeOffCreated>, Problem> {
        let TimeOffRequest { start, end, reason } = body.0;
        let during = Span::new(start.to_utc(), end.to_utc())
            .filter(|_| end - start <= TimeDelta::days(MAX_DAYS))
            .ok_or_else(|| {
                let expected = "must be after the start, at most 366 days";
                Problem::invalid_at(Place::Body, "/end", "out_of_range", expected)
            })?;
        let new = NewTimeOff { during, reason: reason.map_or_else(Reason::default, |reason| reason.0) };
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let actor = caller.actor();
        let created = hours::add_time_off(&state.core, &actor, key.as_ref(), id.0, new).await?;
        let (changed, replayed) = (created.value, created.replayed);
        let path = format!("/v1/staff/{}/time-off/{}", id.0, changed.value.id);
        let ids: Vec<Uuid> = changed.stranded.iter().map(|booking| booking.booking_id).collect();
        let proposals = bookings::proposals(&state.core, &actor, &ids).await?;
        let proposals = proposals.into_iter().map(Proposal::from).collect();
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        let time_off = TimeOff::from(changed.value);
        Ok(Created::new(TimeOffCreated { time_off, stranded, proposals }).location(&path).replayed(replayed))
    }
}
