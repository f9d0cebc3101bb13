//! Limits of bookings and holds. Only if a limit refuses is it checked whether the request repeats an answered one, which is
//! replayed without counting.

use punctual_core::{
    types::{Actor, EmailAddress, Role},
    users,
};

use crate::{
    auth::Caller,
    http::problem::Problem,
    state::State,
    throttle::{Allowance, KeyedBy},
};

/// Counts the request, unless it repeats an answered one.
///
/// # Errors
/// `too_many_requests`; those of `is_repeated`.
pub(super) async fn count_unless_repeated(
    state: &State,
    allowance: &Allowance,
    caller: &Caller,
    contact: Option<&EmailAddress>,
    is_repeated: impl Future<Output = punctual_core::Result<bool>>,
) -> Result<(), Problem> {
    match count(state, allowance, caller, contact).await {
        Err(refusal) if !is_repeated.await? => Err(refusal),
        _ => Ok(()),
    }
}

/// Counts a guest by the client's address and by the e-mail address of the contact, and a customer by their account and,
/// until that is verified, by its e-mail address, so that nobody can flood another person's mailbox. Staff are not counted.
pub(super) async fn count(
    state: &State,
    allowance: &Allowance,
    caller: &Caller,
    contact: Option<&EmailAddress>,
) -> Result<(), Problem> {
    match (caller.actor(), contact) {
        (Actor::Guest, contact) => {
            allowance.for_guest().await?;
            match contact {
                Some(email) => allowance.for_email(email).await,
                None => Ok(()),
            }
        }
        (Actor::Account { user_id, role: Role::Customer }, _) => {
            allowance.for_account(user_id).await?;
            if caller.is_verified() || !allowance.has(KeyedBy::Email) {
                return Ok(());
            }
            let user = users::get(&state.core.pool, user_id).await?;
            allowance.for_email(&user.email).await
        }
        _ => Ok(()),
    }
}
