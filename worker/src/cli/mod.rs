//! The command line.

mod healthcheck;
mod operate;
mod run;
mod test_email;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use punctual_core::config::{Config, Program, environment, report};
use punctual_core::types::EmailAddress;

use crate::mails::Signer;
use crate::smtp::RelayAddress;

/// Why a command failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The worker of Punctual: sends mails and webhooks. Settings are environment variables; defaults.env describes them.
#[derive(Parser)]
#[command(name = "punctual-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run jobs until SIGTERM (the default)
    Run,
    /// Check that the worker on this machine is ready; exit 1 if not
    Healthcheck,
    /// Send a test mail through the configured relay and print each reply
    TestEmail {
        /// Recipient
        address: EmailAddress,
    },
    /// Check the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    #[command(flatten)]
    Operate(operate::Operate),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print all settings without secrets, and warnings; exit 1 if the configuration is invalid
    Check,
}

/// Parses the arguments and runs the command.
#[must_use]
pub fn run() -> ExitCode {
    match execute(Cli::parse().command.unwrap_or(Command::Run)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("punctual-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    let config = Config::from_env()?;
    // Two providers are in the dependency tree, so rustls cannot choose. An error means that one is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Run => run::run(&config).await?,
            Command::Healthcheck => healthcheck::run(&config).await?,
            Command::TestEmail { address } => test_email::run(&config, &address).await?,
            Command::Config { command: ConfigCommand::Check } => {
                print!("{}", report(&config, &environment(), Program::Worker));
                config.check(Program::Worker)?;
                RelayAddress::parse(config.smtp_url()?.expose())?;
                Signer::from_config(&config.worker)?;
            }
            Command::Operate(operate) => return operate::run(&config, operate).await,
        }
        Ok(ExitCode::SUCCESS)
    })
}
