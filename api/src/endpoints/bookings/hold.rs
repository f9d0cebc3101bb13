use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::bookings::{self, NewHold, WantedSlot};
use uuid::Uuid;

use super::create::created;
use crate::{
    auth::Caller, body::Body, endpoints::Tag, problem::Problem, reply::Created, state::State,
    values::IdempotencyKey, views::Booking,
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
    /// For how many minutes; 10 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "10")))]
    minutes: Option<u32>,
}

#[derive(Default)]
pub struct HoldSlot;

#[OpenApi]
impl HoldSlot {
    /// Hold a slot
    ///
    /// Keeps a slot while a customer fills in a form. Book it with `hold_id` before it runs out.
    #[oai(path = "/v1/holds", method = "post", operation_id = "holdSlot", tag = "Tag::Bookings")]
    async fn hold_slot(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each hold.
        #[oai(name = "Idempotency-Key")]
        key: Header<IdempotencyKey>,
        body: Body<HoldRequest>,
    ) -> Result<Created<Booking>, Problem> {
        let HoldRequest { service_id, staff_id, start, minutes } = body.0;
        let slot = WantedSlot { service_id, staff_id, start: start.to_utc() };
        let new = NewHold { slot, minutes: minutes.unwrap_or(10) };
        let answer = bookings::hold(&state.core, &caller.actor(), Some(&key.0.parsed()?), new).await?;
        Ok(created(answer))
    }
}
