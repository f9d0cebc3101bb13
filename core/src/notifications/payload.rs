//! The job that sends one mail.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Sends the mail of one ledger row. It carries the id only: what the mail says is read when it is sent.
/// Its unique key is that id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendNotification {
    /// The ledger row.
    pub notification_id: Uuid,
}
