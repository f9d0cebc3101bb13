//! The links a mail carries. They are derived, so a mail that is sent again has the same ones.

use punctual_core::config::Keys;
use punctual_core::links::{Link, Purpose};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::Facts;

/// Addresses that are secrets of the mail's reader: never logged, never stored.
pub struct Links {
    /// Where the customer sees, moves or cancels the booking.
    pub manage: String,
    /// Where the customer ends reminders (RFC 8058); on reminders only.
    pub unsubscribe: Option<String>,
}

impl Links {
    /// Those of a mail.
    pub fn of(facts: &Facts, keys: &Keys) -> Self {
        let booking = &facts.booking;
        let url = |purpose, id, epoch| Link { purpose, id, epoch }.url(keys, &facts.business.public_url);
        let unsubscribe = || url(Purpose::Unsubscribe, booking.customer_id, booking.customer_link_epoch);
        Self {
            manage: url(Purpose::Manage, booking.id, booking.link_epoch),
            unsubscribe: (facts.kind == NotificationKind::Reminder).then(unsubscribe),
        }
    }
}
