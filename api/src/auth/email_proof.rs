//! Verifies an account's address by the mailed link, over the API and on the link's page.

use punctual_core::{
    links::Purpose,
    users::{self, LinkedAccount, PasswordProof},
};

use super::{Verified, password_rules};
use crate::{http::problem::Problem, state::State, throttle::Allowance};

/// Verifies the address. Anybody can register with another person's address, so the password is kept only if it is given
/// here too. Another password replaces it; without one, the account has none until it is reset.
///
/// # Errors
/// `link_void`; those of a weak new password, through `weak`; `too_many_requests`; `overloaded`.
pub async fn prove_email(
    state: &State,
    allowance: &Allowance,
    token: &str,
    password: Option<String>,
    weak: impl FnOnce(password_rules::Weakness) -> Problem,
) -> Result<LinkedAccount, Problem> {
    let (core, keys) = (&state.core, &state.links);
    let account = users::linked_account(&core.pool, core.now(), keys, Purpose::VerifyEmail, token).await?;
    let proof = match password {
        None => PasswordProof::None,
        Some(password) => {
            let owner = users::password_owner(&core.pool, account.user_id).await?;
            let permit = allowance.for_password(&account.email).await?;
            let verified =
                state.passwords.verify(password.clone(), owner.password_hash.clone(), permit).await?;
            if let (Verified::Yes, Some(hash)) = (verified, owner.password_hash) {
                PasswordProof::Known { hash }
            } else {
                password_rules::check(&password, account.email.as_str(), Some(account.name.as_str()))
                    .map_err(weak)?;
                PasswordProof::New { hash: state.passwords.hash(password, permit).await? }
            }
        }
    };
    users::verify_email(core, keys, token, proof).await?;
    Ok(account)
}
