use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::{
    bookings,
    links::{Link, Purpose},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("releaseHold", Access::Guests).problems(&[
    Code::NotFound,
    Code::HoldExpired,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct ReleaseHold;

#[OpenApi]
impl ReleaseHold {
    /// Release a hold
    ///
    /// Releases a hold before it expires. Allowed for its account, for a guest with its `hold_token`, and for staff. A hold
    /// that has expired or was released is not changed.
    #[oai(path = "/v1/holds/:id", method = "delete", operation_id = "releaseHold", tag = "Tag::Bookings")]
    async fn release_hold(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The hold.
        id: Path<Uuid>,
        /// The `hold_token` of the answer that created a guest's hold.
        #[oai(name = "Hold-Token", validator(max_length = 200))]
        token: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        let link = token.0.and_then(|token| Link::verify(&state.links, &token));
        let has_token = link == Some(Link { purpose: Purpose::Hold, id: id.0, epoch: 0 });
        bookings::release_hold(&state.core, &caller.actor(), has_token, id.0).await?;
        Ok(NoContent)
    }
}
