//! The mails of the story: waited for and printed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;

use crate::console::{self, Colour, paint};
use crate::inbox::{Message, Store};

/// Waits until `recipient` has received mail number `index` (from 0).
pub(super) async fn wait(
    store: &Store,
    recipient: &str,
    index: usize,
    limit: Duration,
) -> Result<Arc<Message>> {
    let mut changed = store.watch();
    let waiting = async {
        loop {
            changed.borrow_and_update();
            if let Some(mail) = to(store, recipient).get(index) {
                return Ok(Arc::clone(mail));
            }
            changed.changed().await?;
        }
    };
    timeout(limit, waiting).await.with_context(|| format!("no mail within {} s", limit.as_secs()))?
}

/// All mails of `recipient`, oldest first.
pub(super) fn to(store: &Store, recipient: &str) -> Vec<Arc<Message>> {
    let mut mails = store.all();
    mails.retain(|mail| mail.summary.envelope_to.iter().any(|address| address == recipient));
    mails
}

/// Prints the mail as its reader sees it, with the content of its calendar entry.
pub(super) fn print(mail: &Message) {
    let edge = paint(Colour::Dim, "  │");
    console::line(&paint(Colour::Dim, "  ┌────────────────────────────────────────────────────────────"));
    for (name, value) in
        [("From", &mail.summary.from), ("To", &mail.summary.to), ("Subject", &mail.summary.subject)]
    {
        console::line(&format!("{edge} {} {value}", paint(Colour::Bold, &format!("{name:<8}"))));
    }
    console::line(&edge);
    for line in mail.text.trim_end().lines() {
        console::line(&format!("{edge} {line}"));
    }
    if let Some(calendar) = mail.calendar() {
        console::line(&edge);
        let shown = ["METHOD", "STATUS", "SEQUENCE", "DTSTART"];
        let entries: Vec<&str> =
            calendar.lines().filter(|line| shown.iter().any(|name| line.starts_with(name))).collect();
        console::line(&format!("{edge} {} {}", paint(Colour::Bold, "Calendar"), entries.join("  ")));
    }
    console::line(&paint(Colour::Dim, "  └────────────────────────────────────────────────────────────"));
}
