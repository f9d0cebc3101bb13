//! Counts and logs the end of mails, whichever process and statement ended them, once it is committed.

use std::cell::RefCell;
use std::future::Future;

use uuid::Uuid;

use super::{NotificationKind, NotificationOutcome};

tokio::task_local! {
    /// Ends that the current transaction has written.
    static UNCOMMITTED: RefCell<Vec<EndedMail>>;
}

/// A mail that a statement has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an end is counted by `count`, or by `record`"]
pub struct EndedMail {
    /// The ledger row.
    pub id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// How it ended.
    pub outcome: NotificationOutcome,
}

impl EndedMail {
    /// Counts and logs it. Called once its transaction is committed.
    pub fn count(self) {
        let (kind, outcome) = (self.kind.as_str(), self.outcome.as_str());
        metrics::counter!("mails_ended_total", "kind" => kind, "outcome" => outcome).increment(1);
        match self.outcome {
            NotificationOutcome::Failed | NotificationOutcome::InDoubt => {
                tracing::warn!(notification_id = %self.id, mail = kind, outcome, "mail");
            }
            _ => tracing::info!(notification_id = %self.id, mail = kind, outcome, "mail"),
        }
    }
}

/// Records the end of these mails: within [`count_if_committed`] until the commit, otherwise the statement has committed
/// itself and they are counted at once.
pub(crate) fn record(mails: impl IntoIterator<Item = EndedMail>) {
    for mail in mails {
        if UNCOMMITTED.try_with(|ends| ends.borrow_mut().push(mail)).is_err() {
            mail.count();
        }
    }
}

/// Runs a transaction and returns the ends of mails that it records, to be counted if it was committed.
pub(crate) async fn collect<T>(transaction: impl Future<Output = T>) -> (T, Vec<EndedMail>) {
    UNCOMMITTED
        .scope(RefCell::default(), async {
            let result = transaction.await;
            (result, UNCOMMITTED.with(RefCell::take))
        })
        .await
}

/// Runs a transaction and counts the ends of mails that it records, unless it returns an error. `committed` tells whether
/// a success was committed.
///
/// # Errors
/// Those of `transaction`.
pub async fn count_if_committed<T, E>(
    committed: impl Fn(&T) -> bool,
    transaction: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let (result, ends) = collect(transaction).await;
    if result.as_ref().is_ok_and(committed) {
        ends.into_iter().for_each(EndedMail::count);
    }
    result
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[tokio::test]
    async fn the_end_of_a_mail_is_counted_once_it_is_committed_and_not_before() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let counted = || handle.render().contains("mails_ended_total{");
        let (kind, outcome) = (NotificationKind::Reminder, NotificationOutcome::Cancelled);
        let end = || record([EndedMail { id: Uuid::nil(), kind, outcome }]);

        let failed = async {
            end();
            Err::<(), _>("failed")
        };
        assert_eq!(count_if_committed(|()| true, failed).await, Err("failed"));
        let rolled_back = async {
            end();
            Ok::<_, &str>(())
        };
        assert_eq!(count_if_committed(|()| false, rolled_back).await, Ok(()));
        assert!(!counted());

        let committed = async {
            end();
            assert!(!counted(), "not before the commit");
            Ok::<_, &str>(())
        };
        assert_eq!(count_if_committed(|()| true, committed).await, Ok(()));
        let counted = handle.render();
        assert!(
            counted.contains("mails_ended_total{kind=\"reminder\",outcome=\"cancelled\"} 1"),
            "{counted}"
        );
    }
}
