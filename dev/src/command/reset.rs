//! `cargo dev reset`: drops the data of the local stack.

use std::process::ExitCode;

use anyhow::Result;

use crate::console;
use crate::home::Home;
use crate::stack::{Lock, State, end_leftovers};

/// Stops leftovers of a killed run and removes all its files; status 1 while a stack runs.
///
/// # Errors
///
/// When something cannot be stopped or removed.
pub async fn run() -> Result<ExitCode> {
    let home = Home::of_clone()?;
    let Some(_lock) = Lock::take(&home)? else {
        let owner =
            State::read(&home).map(|state| format!(" (process {})", state.owner.pid)).unwrap_or_default();
        console::problem(&format!("`cargo dev` runs{owner}: stop it first"));
        return Ok(ExitCode::FAILURE);
    };
    end_leftovers(&home).await?;
    home.remove_data()?;
    console::step("the data is gone; the next `cargo dev` begins anew");
    Ok(ExitCode::SUCCESS)
}
