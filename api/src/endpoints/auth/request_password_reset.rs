use std::{sync::Arc, time::Duration};

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::users;
use tokio::time::{Instant, sleep_until};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{body::Body, problem::Problem, reply::Accepted, values::Email},
    state::State,
    throttle::{Allowance, Policy},
};

/// Answers come at whole multiples of this: how long the work took, and so whether there was any, is not seen.
const TICK: Duration = Duration::from_millis(250);

/// Whose password is to be set anew.
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
    /// Ask for a password reset
    ///
    /// Mails a link that sets a new password, good once and for an hour, if there is an account with this address. The
    /// answer is the same, and takes the same time, if there is none.
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
        let started = Instant::now();
        let done = users::request_password_reset(&state.core, email).await;
        sleep_until(next_tick(started, started.elapsed())).await;
        done?;
        Ok(Accepted)
    }
}

fn next_tick(started: Instant, took: Duration) -> Instant {
    let ticks = took.as_nanos() / TICK.as_nanos() + 1;
    started + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_at_a_whole_tick() {
        let start = Instant::now();
        for (took, ticks) in [(0, 1), (1, 1), (249, 1), (250, 2), (600, 3)] {
            assert_eq!(next_tick(start, Duration::from_millis(took)), start + TICK * ticks, "{took} ms");
        }
    }
}
