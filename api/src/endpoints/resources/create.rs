use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::resources::{self, NewResource};

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::Body,
        problem::Problem,
        reply::Created,
        values::{IdempotencyKey, LabelText},
    },
    state::State,
    views::Resource,
};

/// A room or a piece of equipment to be added.
#[derive(Debug, Object)]
pub struct ResourceRequest {
    /// Name, for staff.
    name: LabelText,
    /// What it is, such as "treatment room": a service can need any one of a kind.
    kind: LabelText,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createResource", Access::ADMIN)
    .problems(problems::MAKE)
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateResource;

#[OpenApi]
impl CreateResource {
    /// Add a room or a piece of equipment
    ///
    /// Say next which services need it: `PUT /v1/services/{id}/resources`.
    #[oai(path = "/v1/resources", method = "post", operation_id = "createResource", tag = "Tag::Catalogue")]
    async fn create_resource(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each thing that is made: with it, repeating the request makes nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<ResourceRequest>,
    ) -> Result<Created<Resource>, Problem> {
        let ResourceRequest { name, kind } = body.0;
        let new = NewResource { name: name.0, kind: kind.0 };
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let created = resources::create(&state.core, &caller.actor(), key.as_ref(), new).await?;
        let (resource, replayed) = (created.value, created.replayed);
        let (rev, path) = (resource.rev, format!("/v1/resources/{}", resource.id));
        Ok(Created::new(Resource(resource)).rev(rev).location(&path).replayed(replayed))
    }
}
