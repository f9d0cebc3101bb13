//! The command line.

mod admin;
mod api_key;
mod failure;
mod healthcheck;
mod keys;
mod migrate;
mod openapi;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use failure::Failure;
use punctual_core::config::{Config, Program, environment, report};

/// The HTTP API of Punctual. Its settings are variables of the environment: see defaults.env.
#[derive(Parser)]
#[command(name = "punctual-api", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Bring the database's schema up to this release
    Migrate,
    /// Print the document of the API (`OpenAPI`)
    Openapi {
        /// Compare it with this file instead; exit 1 when they differ
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Ask a running API on this machine whether it is ready; exit 1 when it is not
    Healthcheck,
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Manage administrators
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Make, list and revoke API keys of programs
    ApiKey {
        #[command(subcommand)]
        command: api_key::ApiKeyCommand,
    },
    /// Make keys for a machine of your own: the files jwt and link in a folder, unless they are there
    Keys {
        /// The folder
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print what is in force, without secrets, and warn of what is rarely meant; exit 1 when it cannot work
    Check,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an administrator's account and mail a link that sets its password. A worker sends it; where none can, give
    /// a password instead: never as an argument, which other users of the machine could see
    Create {
        /// The e-mail address
        email: String,
        /// The person's name
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// Read the password from the first line of standard input, and mail nothing
        #[arg(long, conflicts_with = "password_file")]
        password_stdin: bool,
        /// Read the password from the first line of this file, and mail nothing
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    match execute(Cli::parse().command.unwrap_or(Command::Serve)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("punctual-api: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Openapi { check } => openapi::run(check.as_deref()),
        Command::Keys { folder } => keys::run(&folder),
        Command::Config { command: ConfigCommand::Check } => {
            let config = Config::from_env()?;
            print!("{}", report(&config, &environment(), Program::Api));
            config.check(Program::Api)?;
            Ok(ExitCode::SUCCESS)
        }
        command => {
            let config = Config::from_env()?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                match command {
                    Command::Migrate => migrate::run(&config).await,
                    Command::Healthcheck => healthcheck::run(&config).await,
                    Command::ApiKey { command } => api_key::run(&config, command).await,
                    Command::Admin {
                        command: AdminCommand::Create { email, name, password_stdin, password_file },
                    } => {
                        let password = admin::Password::from_options(password_stdin, password_file);
                        admin::create(&config, &email, &name, password).await
                    }
                    _ => serve::run(&config).await,
                }
            })
        }
    }
}
