//! For programs: the feed of events and webhooks.

mod deliveries;
mod endpoints;
mod every_path;
mod every_write;
mod failures;
mod feed;
mod keys;
mod killed;
mod races;
mod test_hooks;
