//! The domain of Punctual and all its SQL: no HTTP, no SMTP, no Redis.

pub mod bookings;
pub mod calendar;
pub mod config;
pub mod error;
pub mod notifications;
pub mod slots;
pub mod types;

pub use error::{Alternative, Error, Result};
