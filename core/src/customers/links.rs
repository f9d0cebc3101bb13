//! Mails the links of a person's bookings again.

use punctual_queue::Payload;

use crate::notifications::{SendNotification, booking_links};
use crate::transaction::change_waking;
use crate::types::EmailAddress;
use crate::{Core, Result};

/// Mails the links of all future bookings of customers with this address, if there are any. Does nothing while such a mail
/// is unsent. The caller answers the same in all cases.
pub async fn mail_booking_links(core: &Core, email: EmailAddress) -> Result<()> {
    change_waking(core, &[SendNotification::QUEUE], email, |email, tx, now| {
        Box::pin(booking_links::plan(tx, now, email))
    })
    .await
}
