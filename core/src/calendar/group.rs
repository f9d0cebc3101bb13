//! Classes of group services.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The id shared by all seats of one class: `UUIDv5` (RFC 9562) of service, member of staff and start. Equal arguments
/// give equal ids, so bookings of one class need no row for the class.
#[must_use]
pub fn class_id(service_id: Uuid, staff_id: Uuid, start: DateTime<Utc>) -> Uuid {
    let mut name = [0_u8; 24];
    name[..16].copy_from_slice(staff_id.as_bytes());
    name[16..].copy_from_slice(&start.timestamp().to_be_bytes());
    Uuid::new_v5(&service_id, &name)
}
