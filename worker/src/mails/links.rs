//! The links in a mail. They are derived from ids, so a resend has the same links.

use punctual_core::config::Keys;
use punctual_core::links::{Link, Purpose};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::Facts;

/// Links that only the recipient may know: never logged or stored.
pub struct Links {
    /// The customer's page to see, move or cancel the booking; in mails to the customer only.
    pub manage: Option<String>,
    /// The page to book the service again; in mails about a cancellation, while the service is offered.
    pub book: Option<String>,
    /// The page where staff confirm or decline the booking; in mails that ask for it only.
    pub decide: Option<String>,
    /// The customer's page to end reminders (RFC 8058); in reminders only.
    pub unsubscribe: Option<String>,
}

impl Links {
    /// The links of a mail with these facts.
    pub fn of(facts: &Facts, keys: &Keys) -> Self {
        let booking = &facts.booking;
        let url = |purpose, id, epoch| Link { purpose, id, epoch }.url(keys, &facts.business.public_url);
        let unsubscribe = || url(Purpose::Unsubscribe, booking.customer_id, booking.customer_link_epoch);
        let manage = || url(Purpose::Manage, booking.id, booking.manage_epoch);
        let decide = || url(Purpose::Decide, facts.notification_id, booking.link_epoch);
        let book = || format!("{}/book/{}", facts.business.public_url, booking.service_id);
        let is_offered = facts.kind == NotificationKind::Cancellation && booking.service_active;
        Self {
            book: is_offered.then(book),
            manage: (!facts.kind.is_for_staff()).then(manage),
            decide: (facts.kind == NotificationKind::StaffPending).then(decide),
            unsubscribe: (facts.kind == NotificationKind::Reminder).then(unsubscribe),
        }
    }
}
