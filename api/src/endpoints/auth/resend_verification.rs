use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::users;

use crate::{auth::Caller, endpoints::Tag, problem::Problem, reply::Accepted, state::State};

#[derive(Default)]
pub struct ResendVerification;

#[OpenApi]
impl ResendVerification {
    /// Mail another verification link
    ///
    /// Mails another link that proves your address. Does nothing if it is proven.
    #[oai(
        path = "/v1/auth/verify-email/resend",
        method = "post",
        operation_id = "resendVerification",
        tag = "Tag::Auth"
    )]
    async fn resend_verification(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<Accepted, Problem> {
        users::resend_verification(&state.core, caller.user_id()?).await?;
        Ok(Accepted)
    }
}
