use punctual_core::{
    types::{Actor, EmailAddress},
    users,
};

use super::Visitor;
use crate::{http::problem::Problem, throttle::Allowance};

/// Counts a guest by client address and, if given, e-mail address; an account by its e-mail address until that is
/// verified. Staff are not counted. The same as the API's bookings and holds.
///
/// # Errors
/// `too_many_requests`.
pub async fn count(
    visitor: &Visitor,
    allowance: &Allowance,
    actor: &Actor,
    email: Option<&EmailAddress>,
) -> Result<(), Problem> {
    match (actor.user_id(), email) {
        (None, None) => allowance.for_guest().await,
        (None, Some(email)) => {
            allowance.for_guest().await?;
            allowance.for_email(email).await
        }
        (Some(_), _) if actor.is_staff() => Ok(()),
        (Some(user_id), _) => {
            allowance.for_account(user_id).await?;
            let user = users::get(&visitor.visit.state.core.pool, user_id).await?;
            if user.email_verified_at.is_some() { Ok(()) } else { allowance.for_email(&user.email).await }
        }
    }
}
