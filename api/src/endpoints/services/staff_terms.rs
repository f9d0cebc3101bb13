use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::services::{self, StaffTerms as Terms};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{body::Body, etag, problem::Problem, reply::Found},
    state::State,
    views::{Service, StaffTerms},
};

/// What differs with single members of staff. Those who are left out have the service's duration and price.
#[derive(Debug, Object)]
pub struct StaffTermsRequest {
    /// At most one for each.
    #[oai(validator(max_items = 50))]
    terms: Vec<StaffTerms>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("putStaffTerms", Access::ADMIN).problems(problems::EDIT).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct PutStaffTerms;

#[OpenApi]
impl PutStaffTerms {
    /// Set duration and price for single members of staff
    ///
    /// Replaces all of them; `staff_terms` of the service shows them. Slots have the duration of whoever performs them, and a
    /// booking keeps what it was promised.
    #[oai(
        path = "/v1/services/:id/staff-terms",
        method = "put",
        operation_id = "putStaffTerms",
        tag = "Tag::Catalogue"
    )]
    async fn put_staff_terms(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
        /// The `rev` of the service that you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<StaffTermsRequest>,
    ) -> Result<Found<Service>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let terms = body.0.terms.into_iter().map(|terms| Terms {
            staff_id: terms.staff_id,
            duration_min: terms.duration_min,
            price_minor: terms.price_minor,
        });
        let service = services::put_staff_terms(&state.core, id.0, expected, terms.collect()).await?;
        let rev = service.rev;
        Ok(Found::new(Service::from(service)).rev(rev))
    }
}
