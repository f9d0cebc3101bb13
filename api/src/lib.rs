//! The HTTP API of Punctual: a library with a thin main.

mod app;
mod auth;
mod body;
mod calendar_file;
pub mod cli;
pub mod contract;
mod edge;
mod endpoints;
mod etag;
mod metrics_page;
mod pages;
mod params;
mod problem;
mod reply;
mod run;
mod server;
mod state;
mod throttle;
mod values;
mod views;

pub use cli::run as main;
pub use run::{Running, StartError, start};
