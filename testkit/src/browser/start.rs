//! A browser for one test.

use std::env;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Browser, find};
use crate::client::eprint_uncaptured;

/// Exit status where a browser is required and missing.
const STATUS_MISSING: i32 = 2;

/// Starts a browser, or answers `None` after printing and counting the calling test as skipped where there is no
/// Chromium. With `PUNCTUAL_REQUIRE_BROWSER=1` the test process ends with status 2 instead.
///
/// # Panics
/// When there is one and it does not start.
pub async fn browser() -> Option<Browser> {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let Some(program) = find() else {
        if env::var("PUNCTUAL_REQUIRE_BROWSER").is_ok_and(|value| value == "1") {
            eprint_uncaptured(
                "\nthere is no Chromium on the PATH, and PUNCTUAL_REQUIRE_BROWSER=1 wants one\n",
            );
            process::exit(STATUS_MISSING);
        }
        // The harness names the thread of a test after it.
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        eprint_uncaptured(&format!("skipped, as there is no Chromium: {test} ({count} so far)\n"));
        return None;
    };
    match Browser::start(&program).await {
        Ok(browser) => Some(browser),
        Err(error) => panic!("the browser does not start: {error:#}"),
    }
}
