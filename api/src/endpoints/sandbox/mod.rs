//! The test clock of a sandbox, for administrators.

mod advance;
mod clock;

use crate::contract::Operation;
use crate::http::problem::{Code, Problem};
use crate::state::State;

/// The operations of this group.
pub type Operations = (clock::GetSandboxClock, advance::AdvanceSandboxClock);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&clock::OPERATION, &advance::OPERATION];

/// Only a sandbox has a clock that can be moved.
fn require_sandbox(state: &State) -> Result<(), Problem> {
    if state.is_sandbox {
        return Ok(());
    }
    Err(Problem::new(Code::NotFound)
        .detail("This deployment has no test clock. Start it with PUNCTUAL_SANDBOX=on to have one."))
}
