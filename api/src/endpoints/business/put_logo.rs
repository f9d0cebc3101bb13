use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    Error,
    pictures::{self, Picture},
};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        image::LogoBody,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putLogo", Access::ADMIN).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct PutLogo;

#[OpenApi]
impl PutLogo {
    /// Set the logo
    ///
    /// A PNG or SVG that pages show beside the business's name. It is stored without scripts, metadata and outside
    /// references.
    #[oai(path = "/v1/business/logo", method = "put", operation_id = "putLogo", tag = "Tag::Catalogue")]
    async fn put_logo(&self, Data(state): Data<&Arc<State>>, body: LogoBody) -> Result<NoContent, Problem> {
        let picture = Picture::logo(&body.0).map_err(|error| Error::Invalid { pointer: "", error })?;
        pictures::put_logo(&state.core, picture).await?;
        Ok(NoContent)
    }
}
