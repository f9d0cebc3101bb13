//! The worker of Punctual, which sends its mails and webhooks: a library with a thin main.

mod circuit;
mod cli;
mod jobs;
pub mod mails;
mod metrics;
mod run;
pub mod smtp;
mod status_page;
mod webhooks;

pub use cli::run as main;
pub use run::{Options, Running, StartError, start};
