//! How often somebody books whose e-mail address nobody has verified: so that no mailbox can be flooded with mails of
//! bookings its owner never made.

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

/// Counts a guest by where they ask from and by the address they give, if they give one, and a customer by the
/// account's address until that is verified. Staff are not counted.
///
/// # Errors
/// `too_many_requests`.
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
        (Actor::Account { user_id, role: Role::Customer }, _)
            if !caller.is_verified() && allowance.has(By::Email) =>
        {
            let user = users::get(&state.core.pool, user_id).await?;
            allowance.for_email(&user.email).await
        }
        _ => Ok(()),
    }
}
