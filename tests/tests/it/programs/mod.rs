//! For programs: the feed of events and webhooks.

mod checked;
mod deliveries;
mod endpoints;
mod every_path;
mod every_write;
mod failures;
mod feed;
mod keys;
mod killed;
mod plans;
mod races;
pub mod test_hooks;
