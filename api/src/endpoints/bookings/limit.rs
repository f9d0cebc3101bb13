//! How often a client may book or hold, and in which order that is asked: first the limits, and only where one refuses
//! whether the request repeats one that was answered, which is answered again however often its sender has booked.

use punctual_core::{
    types::{Actor, EmailAddress, Role},
    users,
};

use crate::{
    auth::Caller,
    http::problem::Problem,
    state::State,
    throttle::{Allowance, By},
};

/// Counts the request, unless it repeats one that was answered.
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
/// until that is verified, by its e-mail address: no mailbox can be flooded with mails of bookings that its owner never
/// made. Staff are not counted.
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
            if caller.is_verified() || !allowance.has(By::Email) {
                return Ok(());
            }
            let user = users::get(&state.core.pool, user_id).await?;
            allowance.for_email(&user.email).await
        }
        _ => Ok(()),
    }
}
