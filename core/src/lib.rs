//! The domain of Punctual and all its SQL: no HTTP, no SMTP, no Redis.

pub mod bookings;
pub mod calendar;
pub mod config;
pub mod database;
pub mod error;
pub mod idempotency;
pub mod migrate;
pub mod notifications;
pub mod sessions;
pub mod settings;
pub mod slots;
pub mod types;
pub mod users;

mod context;
mod transaction;
mod turns;

pub use context::Core;
pub use error::{Alternative, Error, Result};
