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

/// The HTTP API of Punctual. Settings are environment variables; defaults.env describes them.
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
    /// Migrate the database to this release's schema
    Migrate,
    /// Print the API's `OpenAPI` document
    Openapi {
        /// Compare the document with this file instead; exit 1 if they differ
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
    /// Check that the api on this machine is ready; exit 1 if not
    Healthcheck,
    /// Check the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Create administrators
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Create, list and revoke API keys
    ApiKey {
        #[command(subcommand)]
        command: api_key::ApiKeyCommand,
    },
    /// Create development keys: the files jwt and link in a folder; existing files are kept
    Keys {
        /// Folder for the two files
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print all settings without secrets, and warnings; exit 1 if the configuration is invalid
    Check,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Create an administrator and mail a link that sets the password
    ///
    /// A worker sends the mail. If mails do not work yet, give a password by --password-stdin or --password-file.
    /// It cannot be an argument: other users of the machine could see it.
    Create {
        /// E-mail address
        email: String,
        /// Name
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// Read the password from the first line of standard input; no mail is sent
        #[arg(long, conflicts_with = "password_file")]
        password_stdin: bool,
        /// Read the password from the first line of this file; no mail is sent
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
