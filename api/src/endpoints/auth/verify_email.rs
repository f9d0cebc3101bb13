use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use super::Password;
use crate::{
    auth::prove_email,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// The verification of an address.
#[derive(Object)]
pub struct EmailProof {
    /// The last part of the link in the mail.
    #[oai(validator(min_length = 1, max_length = 200))]
    token: String,
    /// The account's password. Another one replaces that of the registration; without one the account has no password
    /// until it is reset.
    password: Option<Password>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("verifyEmail", Access::Public)
    .problems(&[Code::LinkVoid, Code::Unprocessable, Code::Overloaded])
    .limits(&[Policy::LoginAddress]);

#[derive(Default)]
pub struct VerifyEmail;

#[OpenApi]
impl VerifyEmail {
    /// Verify an e-mail address
    ///
    /// Verifies the address of an account by the mailed link. Bookings made with the address as a guest then belong to the
    /// account. A link is valid once and for three days.
    ///
    /// Anybody can register with another person's address. So send the password too: with the account's own its sessions
    /// stay; with another one, or none, they end.
    #[oai(path = "/v1/auth/verify-email", method = "post", operation_id = "verifyEmail", tag = "Tag::Auth")]
    async fn verify_email(
        &self,
        Data(state): Data<&Arc<State>>,
        allowance: Allowance,
        body: Body<EmailProof>,
    ) -> Result<NoContent, Problem> {
        let EmailProof { token, password } = body.0;
        let password = password.map(|password| password.0);
        prove_email(state, &allowance, &token, password, |weak| weak.at("/password")).await?;
        Ok(NoContent)
    }
}
