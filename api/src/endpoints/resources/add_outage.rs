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
    resources::{self, NewOutage},
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
    views::{Outage, Proposal, StrandedBooking},
};

/// The longest outage, in days.
const MAX_DAYS: i64 = 366;

/// A time at which a resource is out of service.
#[derive(Debug, Object)]
pub struct OutageRequest {
    /// The start.
    start: DateTime<FixedOffset>,
    /// Until when, excluded; after the start, and at most 366 days.
    end: DateTime<FixedOffset>,
    /// Why, for staff; empty when absent.
    reason: Option<ReasonText>,
}

/// The outage, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct OutageCreated {
    /// The outage.
    outage: Outage,
    /// Bookings that no longer fit. They are not changed; staff decide about them.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
    /// For the first 50 of them that are pending or confirmed: the customer, and free slots as of now.
    #[oai(validator(max_items = 50))]
    proposals: Vec<Proposal>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createResourceOutage", Access::ADMIN)
    .problems(&[Code::NotFound, Code::IdempotencyInProgress, Code::IdempotencyKeyReused, Code::Overloaded])
    .headers(&[SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateOutage;

#[OpenApi]
impl CreateOutage {
    /// Put a resource out of service for a time
    ///
    /// The answer lists bookings that no longer fit; they are not changed. A move gives them another resource of the kind.
    #[oai(
        path = "/v1/resources/:id/outages",
        method = "post",
        operation_id = "createResourceOutage",
        tag = "Tag::Catalogue"
    )]
    async fn create_outage(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The resource.
        id: Path<Uuid>,
        /// A key of your choice, new for each object: repeating the request with it creates nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<OutageRequest>,
    ) -> Result<Created<OutageCreated>, Problem> {
        let OutageRequest { start, end, reason } = body.0;
        let during = Span::new(start.to_utc(), end.to_utc())
            .filter(|_| end - start <= TimeDelta::days(MAX_DAYS))
            .ok_or_else(|| {
                let expected = "must be after the start, at most 366 days";
                Problem::invalid_at(Place::Body, "/end", "out_of_range", expected)
            })?;
        let new = NewOutage { during, reason: reason.map_or_else(Reason::default, |reason| reason.0) };
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let actor = caller.actor();
        let added = resources::add_outage(&state.core, &actor, key.as_ref(), id.0, new).await?;
        let (changed, replayed) = (added.value, added.replayed);
        let ids: Vec<Uuid> = changed.stranded.iter().map(|booking| booking.booking_id).collect();
        let proposals = bookings::proposals(&state.core, &actor, &ids).await?;
        let created = OutageCreated {
            outage: Outage(changed.value),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
            proposals: proposals.into_iter().map(Proposal::from).collect(),
        };
        Ok(Created::new(created).replayed(replayed))
    }
}
