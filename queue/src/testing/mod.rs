//! For the tests of programs that use the queue (feature `testing`).
//!
//! ```no_run
//! # use punctual_queue::{ManualClock, Runtime, testing};
//! # use chrono::TimeDelta;
//! # async fn story(pool: sqlx::PgPool, due: chrono::DateTime<chrono::Utc>) {
//! let mut conn = pool.acquire().await.unwrap();
//! testing::assert_enqueued(&mut conn, "report.build.v1").at(due).once().await;
//!
//! let clock = ManualClock::at(due - TimeDelta::days(1));
//! # let builder = Runtime::builder(pool.clone(), clock.clone());
//! let mut runtime = testing::TestRuntime::start(builder, clock).await;
//! let ran = runtime.run_due_jobs(due).await;
//! # }
//! ```

mod assertions;
mod manual_worker;
mod runtime;

pub use assertions::{Assertion, StoredJob, assert_enqueued, assert_nothing_enqueued, jobs};
pub use manual_worker::{ManualLease, ManualWorker, promote_due, rescue_expired, rescue_retrying_poison};
pub use runtime::{JobRun, TestRuntime, end_unknown};

pub use crate::clock::ManualClock;
