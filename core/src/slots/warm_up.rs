//! What the first slot list of a process would otherwise wait for.

use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

use super::list::{SlotQuery, load_lists};
use super::snapshots::BUILD_TIMEOUT;
use crate::transaction::{BEGIN_READ, Transaction};
use crate::{Result, Writer};

/// Opens the connection that loads slot lists and has Postgres plan the statement that each begins with, in the background. A
/// failure is left to the first request.
pub fn warm_up(writer: &Writer) {
    let pool = writer.list_pool().clone();
    // The lists of a service that does not exist.
    let list_of = |staff_id| SlotQuery {
        service_id: Uuid::nil(),
        staff_id,
        from: NaiveDate::default(),
        to: NaiveDate::default(),
        seats: 1,
        exclude_booking: None,
    };
    let queries = [list_of(None), list_of(Some(Uuid::nil()))];
    writer.spawn(async move {
        let loading = async {
            let mut tx = Transaction::begin(&pool, BEGIN_READ).await?;
            let lists = load_lists(tx.conn()?, DateTime::UNIX_EPOCH, &queries).await;
            tx.end_read().await;
            lists.map(drop)
        };
        // Then the connection is closed: it may be the only one that loads slot lists.
        let result: Result<Result<()>, _> = tokio::time::timeout(BUILD_TIMEOUT, loading).await;
        if !matches!(result, Ok(Ok(()))) {
            tracing::debug!("the connection of slot lists was not warmed up");
        }
    });
}
