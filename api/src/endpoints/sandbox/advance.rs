use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::sandbox;

use super::require_sandbox;
use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::Found,
        values::PeriodText,
    },
    state::State,
    views::SandboxClock,
};

/// The furthest that one request moves the clock.
const MAX_ADVANCE: TimeDelta = TimeDelta::days(366);

/// How far a test clock is moved: by a period, or to an instant.
#[derive(Debug, Object)]
pub struct AdvanceRequest {
    /// By this period, an ISO 8601 duration.
    by: Option<PeriodText>,
    /// To this instant.
    to: Option<DateTime<FixedOffset>>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("advanceSandboxClock", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct AdvanceSandboxClock;

#[OpenApi]
impl AdvanceSandboxClock {
    /// Move a sandbox's test clock ahead
    ///
    /// What falls due on the way runs at its own time: reminders, webhooks, expiries. The answer comes when it has run. If
    /// that takes long, it comes with `done` false: repeat it with `to`. Only in a sandbox (`PUNCTUAL_SANDBOX=on`);
    /// elsewhere 404. Access tokens expire with the clock: log in again.
    #[oai(
        path = "/v1/sandbox/clock/advance",
        method = "post",
        operation_id = "advanceSandboxClock",
        tag = "Tag::Sandbox"
    )]
    async fn advance_sandbox_clock(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<AdvanceRequest>,
    ) -> Result<Found<SandboxClock>, Problem> {
        require_sandbox(state)?;
        let to = target(&body.0, state.core.now())?;
        // Leaves time for the answer.
        let time_limit = state.request_timeout().mul_f64(0.6);
        let (moved, done) = sandbox::advance(&state.core, to, time_limit).await?;
        Ok(Found::new(SandboxClock::new(moved, done)))
    }
}

/// Where the clock is moved to.
fn target(request: &AdvanceRequest, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let wrong = |pointer: &str, code, why| Problem::invalid_at(Place::Body, pointer, code, why);
    let (pointer, to) = match (&request.by, request.to) {
        (Some(by), None) => ("/by", now + by.length()?),
        (None, Some(to)) => ("/to", to.to_utc()),
        (None, None) => return Err(wrong("/by", "required", "is required, or `to` in place of it")),
        (Some(_), Some(_)) => {
            return Err(wrong("/to", "not_allowed", "is not possible together with `by`: send one of them"));
        }
    };
    if to > now + MAX_ADVANCE {
        return Err(wrong(pointer, "too_large", "one request moves the clock by 366 days at most"));
    }
    Ok(to)
}
