//! Counts and logs the end of mails, whichever process and statement ended them.

use uuid::Uuid;

use super::{NotificationKind, NotificationOutcome};

/// A mail that a statement has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndedMail {
    pub id: Uuid,
    pub kind: NotificationKind,
    pub outcome: NotificationOutcome,
}

/// Records the end of these mails. Called after the statement and before the commit: a transaction that fails or runs
/// again is the only way to count a mail twice.
pub(crate) fn record(mails: impl IntoIterator<Item = EndedMail>) {
    for mail in mails {
        let (kind, outcome) = (mail.kind.as_str(), mail.outcome.as_str());
        metrics::counter!("mails_ended_total", "kind" => kind, "outcome" => outcome).increment(1);
        match mail.outcome {
            NotificationOutcome::Failed | NotificationOutcome::InDoubt => {
                tracing::warn!(notification_id = %mail.id, mail = kind, outcome, "mail");
            }
            _ => tracing::info!(notification_id = %mail.id, mail = kind, outcome, "mail"),
        }
    }
}
