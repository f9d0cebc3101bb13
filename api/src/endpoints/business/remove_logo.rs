use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::pictures;

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
    Operation::new("removeLogo", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveLogo;

#[OpenApi]
impl RemoveLogo {
    /// Remove the logo
    ///
    /// Pages show the first letter of the business's name instead.
    #[oai(path = "/v1/business/logo", method = "delete", operation_id = "removeLogo", tag = "Tag::Catalogue")]
    async fn remove_logo(&self, Data(state): Data<&Arc<State>>) -> Result<NoContent, Problem> {
        pictures::remove_logo(&state.core).await?;
        Ok(NoContent)
    }
}
