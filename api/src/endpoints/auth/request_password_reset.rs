use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::users;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{body::Body, even_time::at_whole_ticks, problem::Problem, reply::Accepted, values::Email},
    state::State,
    throttle::{Allowance, Policy},
};

/// A request for a new password.
#[derive(Debug, Object)]
pub struct PasswordResetRequest {
    /// The account's e-mail address.
    email: Email,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("requestPasswordReset", Access::Public)
    .limits(&[Policy::ResetAddress, Policy::ResetEmail]);

#[derive(Default)]
pub struct RequestPasswordReset;

#[OpenApi]
impl RequestPasswordReset {
    /// Request a password reset
    ///
    /// Mails a link that sets a new password, valid once and for an hour, if there is an account with this address. The
    /// answer and its timing are the same if there is none.
    #[oai(
        path = "/v1/auth/password-reset",
        method = "post",
        operation_id = "requestPasswordReset",
        tag = "Tag::Auth"
    )]
    async fn request_password_reset(
        &self,
        Data(state): Data<&Arc<State>>,
        allowance: Allowance,
        body: Body<PasswordResetRequest>,
    ) -> Result<Accepted, Problem> {
        let email = body.0.email.0;
        allowance.for_email(&email).await?;
        at_whole_ticks(users::request_password_reset(&state.core, email)).await?;
        Ok(Accepted)
    }
}
