//! A browser for one test.

use super::{Browser, find};
use crate::require::Tool;

/// Starts a browser, or returns `None` where there is no Chromium: the calling test is skipped (see [`Tool::skip`]).
///
/// # Panics
/// When there is one and it does not start.
pub async fn browser() -> Option<Browser> {
    let Some(program) = find() else {
        Tool::Browser.skip("Chromium on the PATH");
        return None;
    };
    match Browser::start(&program).await {
        Ok(browser) => Some(browser),
        Err(error) => panic!("the browser does not start: {error:#}"),
    }
}
