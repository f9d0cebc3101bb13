use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::users;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Accepted},
    state::State,
    throttle::{Allowance, Policy},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("resendVerification", Access::ACCOUNT).limits(&[Policy::VerifyEmail]);

#[derive(Default)]
pub struct ResendVerification;

#[OpenApi]
impl ResendVerification {
    /// Mail another verification link
    ///
    /// Mails another link that verifies your address. Does nothing if it is verified.
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
        allowance: Allowance,
    ) -> Result<Accepted, Problem> {
        let user_id = caller.user_id()?;
        allowance.for_email(&users::password_owner(&state.core.pool, user_id).await?.email).await?;
        users::resend_verification(&state.core, user_id).await?;
        Ok(Accepted)
    }
}
