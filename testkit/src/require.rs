//! Tools that a test needs and a machine may lack. Such a test is skipped with a message; where everything must run, as
//! in CI, `PUNCTUAL_REQUIRE_<TOOL>=1` turns a missing tool into an error.

use std::env;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::client::eprint_uncaptured;
use crate::guard::STATUS_MISSING;

/// A tool that some tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A Redis server: `PUNCTUAL_REQUIRE_REDIS`.
    Redis,
    /// Chromium: `PUNCTUAL_REQUIRE_BROWSER`.
    Browser,
    /// Python 3 with the modules of `tests/python.txt`: `PUNCTUAL_REQUIRE_PYTHON`.
    Python,
    /// The program `openssl`: `PUNCTUAL_REQUIRE_OPENSSL`.
    OpenSsl,
    /// The program `faketime`: `PUNCTUAL_REQUIRE_FAKETIME`.
    Faketime,
    /// The program `pgbouncer`: `PUNCTUAL_REQUIRE_PGBOUNCER`.
    PgBouncer,
}

impl Tool {
    const fn variable(self) -> &'static str {
        match self {
            Self::Redis => "PUNCTUAL_REQUIRE_REDIS",
            Self::Browser => "PUNCTUAL_REQUIRE_BROWSER",
            Self::Python => "PUNCTUAL_REQUIRE_PYTHON",
            Self::OpenSsl => "PUNCTUAL_REQUIRE_OPENSSL",
            Self::Faketime => "PUNCTUAL_REQUIRE_FAKETIME",
            Self::PgBouncer => "PUNCTUAL_REQUIRE_PGBOUNCER",
        }
    }

    /// Whether a missing tool is an error.
    #[must_use]
    pub fn is_required(self) -> bool {
        env::var(self.variable()).is_ok_and(|value| value == "1")
    }

    /// Counts the calling test as skipped and prints why: `missing` completes "skipped, as there is no …". Where the tool
    /// is required the test process ends with status 2 instead.
    pub fn skip(self, missing: &str) {
        static SKIPPED: AtomicUsize = AtomicUsize::new(0);
        if self.is_required() {
            eprint_uncaptured(&format!("\nthere is no {missing}, and {}=1 requires it\n", self.variable()));
            process::exit(STATUS_MISSING);
        }
        // The test harness names a test's thread after the test.
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        eprint_uncaptured(&format!("skipped, as there is no {missing}: {test} ({count} so far)\n"));
    }
}

/// Whether the command succeeds; its output is dropped.
#[must_use]
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
