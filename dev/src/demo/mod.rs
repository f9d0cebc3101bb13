//! `cargo dev demo`: the main use case end to end, for a client and a customer, on its own stack.

mod client;
mod mails;
mod story;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::command::interrupts::Interrupts;
use crate::console;
use crate::home::Home;
use crate::servers::{Consent, Needs, install_commands, provide};
use crate::stack::{Lock, Ports, Settings, Stack, end_leftovers};

/// Exit status where Postgres is missing and may not be installed.
const STATUS_MISSING: u8 = 2;
/// Exit status of a program that Ctrl-C has ended.
const STATUS_INTERRUPTED: u8 = 130;

/// Options of `cargo dev demo`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Install nothing: print the commands and exit with 2
    #[arg(long)]
    pub no_install: bool,
}

/// Runs the story; status 0 when every check passed.
///
/// # Errors
///
/// The first failed check.
pub async fn run(options: Options) -> Result<ExitCode> {
    let mut interrupts = Interrupts::new()?;
    end_killed_demos().await?;
    let needs = Needs { postgres: true, redis: true };
    let consent = if options.no_install { Consent::Never } else { Consent::Ask };
    let programs = provide(needs, consent, &console::step);
    if programs.postgres.is_none() || (programs.redis.is_none() && options.no_install) {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    }
    let home = Home::of_demo()?;
    let lock = Lock::take(&home)?;
    let mut stack = Stack::new(Settings {
        home: home.clone(),
        ports: Ports::any(),
        workers: 1,
        database_url: None,
        redis_url: None,
        smtp_url: None,
        disposable: true,
        programs,
    });
    let result = tokio::select! {
        result = play(&mut stack) => result.map(|()| ExitCode::SUCCESS),
        () = interrupts.next() => Ok(ExitCode::from(STATUS_INTERRUPTED)),
    };
    if result.is_err() {
        print_logs(&home);
    }
    stack.stop().await?;
    home.remove()?;
    drop(lock);
    if result.as_ref().is_ok_and(|code| *code == ExitCode::SUCCESS) {
        console::step("all of it came true; `cargo dev` brings the same stack up to stay");
    }
    result
}

async fn play(stack: &mut Stack) -> Result<()> {
    stack.start().await?;
    console::line("");
    let admin = stack.admin().context("the demo business has no administrator")?;
    let inbox = stack.inbox().context("there is no inbox")?;
    story::play(&stack.addresses().api, admin, inbox.store()).await
}

/// Prints the programs' logs after a failure.
fn print_logs(home: &Home) {
    for name in ["api", "worker"] {
        let text = fs::read_to_string(home.folder.join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(20)..] {
            console::log_line(name, console::Colour::Dim, line);
        }
    }
}

/// Removes leftovers of killed demos; running ones hold their lock.
async fn end_killed_demos() -> Result<()> {
    for home in Home::demos() {
        if let Some(_lock) = Lock::take(&home)? {
            end_leftovers(&home).await?;
            home.remove()?;
        }
    }
    Ok(())
}
