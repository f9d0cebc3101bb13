use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{privacy, users};

use crate::{
    auth::{Caller, Verified},
    contract::{Access, Operation},
    endpoints::{Tag, auth::Password},
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// Proof that it is the owner who asks.
#[derive(Debug, Object)]
pub struct AccountDeletion {
    /// The account's password.
    password: Password,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("deleteMe", Access::ACCOUNT)
    .problems(&[Code::InvalidCredentials, Code::HasBookings, Code::LastAdmin, Code::Overloaded])
    .limits(Policy::PASSWORD);

#[derive(Default)]
pub struct DeleteMe;

#[OpenApi]
impl DeleteMe {
    /// Delete your account
    ///
    /// The account is gone at once, and with it what is kept of its owner: past bookings stay as taken time, without a
    /// name, an address, a phone number or a note; mails not yet sent are called off; all sessions end. While an
    /// appointment is to come nothing is deleted: cancel it first, or wait until it is over.
    #[oai(path = "/v1/me", method = "delete", operation_id = "deleteMe", tag = "Tag::Me")]
    async fn delete_me(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        allowance: Allowance,
        body: Body<AccountDeletion>,
    ) -> Result<NoContent, Problem> {
        let id = caller.user_id()?;
        let owner = users::password_owner(&state.core.pool, id).await?;
        let permit = allowance.for_password(&owner.email).await?;
        if state.passwords.verify(body.0.password.0, owner.password_hash, permit).await? != Verified::Yes {
            return Err(Problem::new(Code::InvalidCredentials).detail("This is not the account's password."));
        }
        privacy::delete_account(&state.core, id).await?;
        Ok(NoContent)
    }
}
