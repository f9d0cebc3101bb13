use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{
    Error,
    pictures::{self, Picture},
};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        image::PhotoBody,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putPhoto", Access::ADMIN).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct PutPhoto;

#[OpenApi]
impl PutPhoto {
    /// Set the photo of a member of staff
    ///
    /// A PNG or JPEG, shown where customers choose a member of staff. It is stored without metadata such as its location.
    #[oai(path = "/v1/staff/:id/photo", method = "put", operation_id = "putPhoto", tag = "Tag::Catalogue")]
    async fn put_photo(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
        body: PhotoBody,
    ) -> Result<NoContent, Problem> {
        let picture = Picture::photo(&body.0).map_err(|error| Error::Invalid { pointer: "", error })?;
        pictures::put_photo(&state.core, id.0, picture).await?;
        Ok(NoContent)
    }
}
