use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::users;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// A proof that somebody reads the mails of an address.
#[derive(Object)]
pub struct EmailProof {
    /// The last part of the link in the mail.
    #[oai(validator(min_length = 1, max_length = 200))]
    token: String,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("verifyEmail", Access::Public).problems(&[Code::LinkVoid]);

#[derive(Default)]
pub struct VerifyEmail;

#[OpenApi]
impl VerifyEmail {
    /// Verify an e-mail address
    ///
    /// Proves the address of an account by the link that was mailed to it. What was booked by the address without an
    /// account belongs to the account from then on. A link is good once and for three days.
    #[oai(path = "/v1/auth/verify-email", method = "post", operation_id = "verifyEmail", tag = "Tag::Auth")]
    async fn verify_email(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<EmailProof>,
    ) -> Result<NoContent, Problem> {
        users::verify_email(&state.core, &state.links, &body.0.token).await?;
        Ok(NoContent)
    }
}
