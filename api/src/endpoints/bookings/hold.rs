use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{
    bookings::{self, NewHold, RequestedSlot},
    links::{Link, Purpose},
    types::Actor,
};
use uuid::Uuid;

use super::{create::created, limit};
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        address::ClientAddress,
        body::Body,
        problem::{Code, Problem},
        reply::Created,
        values::IdempotencyKey,
    },
    state::State,
    throttle::{Allowance, Policy},
    views::Booking,
};

/// A slot to be kept for a short while.
#[derive(Debug, Object)]
pub struct HoldRequest {
    /// The service.
    service_id: Uuid,
    /// Who performs it; anyone who can when absent.
    staff_id: Option<Uuid>,
    /// When it starts, as `GET /v1/slots` lists it.
    start: DateTime<FixedOffset>,
    /// How many seats of a class, at most its capacity; 1 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    seats: Option<u32>,
    /// For how many minutes; 10 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "10")))]
    minutes: Option<u32>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("holdSlot", Access::Guests)
    .problems(&[
        Code::Unauthenticated,
        Code::Forbidden,
        Code::NotFound,
        Code::SlotTaken,
        Code::IdempotencyInProgress,
        Code::StartInPast,
        Code::TooSoon,
        Code::TooFar,
        Code::OutsideHours,
        Code::OffGrid,
        Code::IdempotencyKeyReused,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed])
    .limits(&[Policy::BookingAddress, Policy::HoldAddress, Policy::HoldAccount, Policy::BookingEmail]);

#[derive(Default)]
pub struct HoldSlot;

#[OpenApi]
impl HoldSlot {
    /// Hold a slot
    ///
    /// Keeps a slot while a customer fills in a form. Book it with `hold_id` before it runs out, or release it. An account,
    /// or a network address without one, can hold four hours of appointments at once, each seat of a class counted; then the answer is
    /// `too_many_requests`.
    #[oai(path = "/v1/holds", method = "post", operation_id = "holdSlot", tag = "Tag::Bookings")]
    async fn hold_slot(
        &self,
        Data(state): Data<&Arc<State>>,
        Data(address): Data<&ClientAddress>,
        caller: Caller,
        allowance: Allowance,
        /// A key of your choice, new for each hold.
        #[oai(name = "Idempotency-Key")]
        key: Header<IdempotencyKey>,
        body: Body<HoldRequest>,
    ) -> Result<Created<Booking>, Problem> {
        let HoldRequest { service_id, staff_id, start, seats, minutes } = body.0;
        let slot = RequestedSlot { service_id, staff_id, start: start.to_utc(), seats: seats.unwrap_or(1) };
        let new = NewHold { slot, minutes: minutes.unwrap_or(10) };
        let (actor, key) = (caller.actor(), key.0.parsed()?);
        // Guests have given no address of theirs yet: keys belong to where they ask from.
        let guest = state.throttle.name_of(address.0);
        let repeated = bookings::is_hold_repeated(&state.core, &actor, &guest, &key, &new);
        limit::count_unless_repeated(state, &allowance, &caller, None, repeated).await?;
        let mut answer = bookings::hold(&state.core, &actor, &guest, Some(&key), new).await?;
        if actor == Actor::Guest {
            let link = Link { purpose: Purpose::Hold, id: answer.value.id, epoch: 0 };
            answer.value.hold_token = Some(link.token(&state.links));
        }
        Ok(created(answer))
    }
}
