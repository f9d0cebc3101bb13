use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::pictures;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("removePhoto", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemovePhoto;

#[OpenApi]
impl RemovePhoto {
    /// Remove the photo of a member of staff
    ///
    /// Pages show the first letter of their name instead.
    #[oai(
        path = "/v1/staff/:id/photo",
        method = "delete",
        operation_id = "removePhoto",
        tag = "Tag::Catalogue"
    )]
    async fn remove_photo(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        pictures::remove_photo(&state.core, id.0).await?;
        Ok(NoContent)
    }
}
