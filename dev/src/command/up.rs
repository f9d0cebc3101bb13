//! `cargo dev`: everything, until Ctrl-C.

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use rustix::process::Signal;

use crate::command::interrupts::Interrupts;
use crate::console::{self, Colour, paint};
use crate::home::Home;
use crate::servers::{Consent, Needs, install_commands, provide};
use crate::stack::{Addresses, Lock, Ports, Settings, Stack, State, end_leftovers};

/// Exit status where a server is missing and may not be installed.
const STATUS_MISSING: u8 = 2;
/// Exit status of a program that Ctrl-C has ended.
const STATUS_INTERRUPTED: u8 = 130;

/// Options of `cargo dev`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Number of worker processes
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub workers: usize,
    /// Install nothing: print the commands and exit with 2
    #[arg(long)]
    pub no_install: bool,
}

/// Starts the stack and shows its logs.
///
/// # Errors
///
/// The failure; everything that was started is stopped again.
pub async fn run(options: Options) -> Result<ExitCode> {
    let home = Home::of_clone()?;
    let Some(_lock) = Lock::take(&home)? else {
        console::problem("`cargo dev` runs already:");
        if let Some(state) = State::read(&home) {
            console::table(&table(&state.addresses));
        }
        return Ok(ExitCode::FAILURE);
    };
    let mut interrupts = Interrupts::new()?;
    let left = end_leftovers(&home).await?;
    if left > 0 {
        console::notice(&format!("stopped {left} processes that an earlier run had left"));
    }
    let Some(settings) = settings(home, options)? else { return Ok(ExitCode::from(STATUS_MISSING)) };
    let mut stack = Stack::new(settings);
    let result = tokio::select! {
        result = bring_up(&mut stack) => result.map(|()| ExitCode::SUCCESS),
        () = interrupts.next() => Ok(ExitCode::from(STATUS_INTERRUPTED)),
    };
    console::line("");
    console::step("stopping");
    let groups = stack.groups();
    tokio::select! {
        stopped = stack.stop() => stopped?,
        () = interrupts.next() => {
            console::problem("killed");
            for group in groups {
                group.signal(Signal::KILL, true)?;
            }
        }
    }
    result
}

async fn bring_up(stack: &mut Stack) -> Result<()> {
    stack.start().await?;
    console::line("");
    console::line(&paint(Colour::Bold, "Punctual runs. Ctrl-C stops it."));
    let mut rows = table(stack.addresses());
    if let Some(admin) = stack.admin() {
        rows.push(("Admin".to_owned(), format!("{}  password {}", admin.email, admin.password)));
    }
    console::table(&rows);
    console::line("");
    stack.watch().await
}

/// Finds, installs and builds what is needed; `None` after printing what a person has to install.
fn settings(home: Home, options: Options) -> Result<Option<Settings>> {
    let given = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let (database_url, redis_url, smtp_url) = (given("DATABASE_URL"), given("REDIS_URL"), given("SMTP_URL"));
    let needs = Needs { postgres: database_url.is_none(), redis: redis_url.is_none() };
    let consent = if options.no_install { Consent::Never } else { Consent::Ask };
    let programs = provide(needs, consent, &console::step);
    let missing = (needs.postgres && programs.postgres.is_none(), needs.redis && programs.redis.is_none());
    if missing.0 || (missing.1 && options.no_install) {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(None);
    }
    let ports = Ports::usual()?;
    let workers = options.workers;
    let disposable = false;
    Ok(Some(Settings { home, ports, workers, database_url, redis_url, smtp_url, disposable, programs }))
}

fn table(addresses: &Addresses) -> Vec<(String, String)> {
    let mut rows = vec![
        ("Booking", format!("{}/book  where a customer books", addresses.api)),
        ("Desk", format!("{}/desk  where the people of the salon work", addresses.api)),
        ("API", format!("{0}  documentation {0}/docs", addresses.api)),
    ];
    if let Some(inbox) = &addresses.inbox {
        rows.push(("Inbox", inbox.clone()));
    }
    rows.push(("Mail", addresses.smtp.clone()));
    rows.push(("Postgres", addresses.database.clone()));
    rows.push(("Redis", addresses.redis.clone().unwrap_or_else(|| "none".to_owned())));
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
