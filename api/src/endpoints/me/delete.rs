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

/// Confirmation by the owner.
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
    /// Deletes the account and its owner's personal data at once. Past bookings stay as busy time, without name, address,
    /// phone number or note; unsent mails are cancelled; all sessions end. Nothing is deleted while there is a future
    /// appointment: cancel it first, or wait until it is over.
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
