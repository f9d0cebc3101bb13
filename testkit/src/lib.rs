//! Postgres and Redis for tests, without manual set-up or clean-up.
//!
//! ```no_run
//! # async fn story() -> Result<(), reqwest::Error> {
//! use punctual_testkit::{Programs, TestDatabase, TestRedis};
//!
//! let database = TestDatabase::create().await; // fresh, migrated, dropped with the value
//! let Some(redis) = TestRedis::start().await else { return Ok(()) }; // counted and printed as skipped
//!
//! let programs = Programs::on(&database).redis(&redis); // the api and the worker as real processes
//! let (api, worker) = (programs.api().await, programs.worker().await);
//! assert!(reqwest::get(format!("{}/healthz", api.url())).await?.status().is_success());
//! worker.kill(); // kill −9
//! # Ok(())
//! # }
//! ```
//!
//! All test processes of one run share a *guard*: a process that owns the Postgres cluster and every Redis, and ends
//! them when the last connection from a test process closes, which the kernel does also after `kill -9`. The guard is a
//! program of the test crate (`tests-guard`), so it is never older than the tests.
//!
//! `PUNCTUAL_TEST_DATABASE_URL` names a server to use instead of an own cluster (a superuser's or `CREATEDB` URL);
//! `PUNCTUAL_REQUIRE_REDIS=1`, and so for the other tools of [`require`], makes a missing one an error instead of a skip.

pub mod browser;
mod business;
pub mod certificate;
mod client;
pub mod collector;
mod database;
mod fake_clock;
pub mod guard;
pub mod live;
mod message;
pub mod pgbouncer;
mod postgres;
pub mod probe;
mod process;
mod programs;
pub mod proxy;
mod redis;
pub mod require;
mod runtime_folder;
pub mod schema;
pub mod smtp_sink;
mod wait;
pub mod webhook_receiver;

pub use business::{BusinessBuilder, EVERY_DAY, OpenBusiness, business, haircut, week, window};
pub use database::TestDatabase;
pub use fake_clock::FakeClock;
pub use postgres::{TestPostgres, TestStandby};
pub use process::{Process, Programs, Signal, program_alone};
pub use programs::program;
pub use redis::TestRedis;
pub use wait::{Condition, WAIT_TIMEOUT, lasting, try_wait_for, wait_at_most, wait_for};

pub use punctual_launch::servers::ports::free_port;
