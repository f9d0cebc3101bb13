//! The domain of Punctual and all its SQL: no HTTP, no SMTP, no Redis.

pub mod agenda;
pub mod api_keys;
pub mod bookings;
pub mod calendar;
pub mod changes;
pub mod config;
pub mod customers;
pub mod error;
pub mod feeds;
pub mod hours;
pub mod idempotency;
pub mod keyed_mutex;
pub mod links;
pub mod mail_relay;
pub mod migrate;
pub mod notifications;
pub mod operators;
pub mod pictures;
pub mod pool;
pub mod privacy;
pub mod reports;
pub mod resources;
pub mod sandbox;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod slots;
pub mod staff;
pub mod storefront;
pub mod types;
pub mod users;
pub mod webhooks;
pub mod wording;

mod advisory_lock;
mod batch_queue;
mod batcher;
mod context;
mod group_commit;
mod transaction;
mod writer;

pub use context::{Core, CoreLimits};
pub use error::{Alternative, BlockedBy, Error, Occurrence, Result, VisitConflict, VisitPart, VisitSlot};
pub use migrate::migrate;
pub use writer::Writer;
