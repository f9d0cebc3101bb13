//! The HTTP API of Punctual: a library with a thin main.

mod app;
mod auth;
mod change_watch;
pub mod cli;
pub mod contract;
mod edge;
mod endpoints;
mod http;
mod metrics_page;
mod pages;
mod run;
mod schema;
mod server;
mod state;
mod throttle;
mod views;

pub use cli::run as main;
pub use endpoints::operations;
pub use run::{Running, StartError, start};
