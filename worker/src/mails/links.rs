//! The links a mail carries. They are derived, so a mail that is sent again has the same ones.

use punctual_core::config::Keys;
use punctual_core::links::{Link, Purpose};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::Facts;

/// Addresses that are secrets of the mail's reader: never logged, never stored.
pub struct Links {
    /// Where the customer sees, moves or cancels the booking; on mails to them only.
    pub manage: Option<String>,
    /// Where staff confirm or decline the booking; on mails that ask for it only.
    pub decide: Option<String>,
    /// Where the customer ends reminders (RFC 8058); on reminders only.
    pub unsubscribe: Option<String>,
}

impl Links {
    /// Those of a mail.
    pub fn of(facts: &Facts, keys: &Keys) -> Self {
        let booking = &facts.booking;
        let url = |purpose, id, epoch| Link { purpose, id, epoch }.url(keys, &facts.business.public_url);
        let unsubscribe = || url(Purpose::Unsubscribe, booking.customer_id, booking.customer_link_epoch);
        let manage = || url(Purpose::Manage, booking.id, booking.link_epoch);
        let decide = || url(Purpose::Decide, facts.notification_id, booking.link_epoch);
        Self {
            manage: (!facts.kind.is_for_staff()).then(manage),
            decide: (facts.kind == NotificationKind::StaffPending).then(decide),
            unsubscribe: (facts.kind == NotificationKind::Reminder).then(unsubscribe),
        }
    }
}
