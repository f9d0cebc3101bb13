use poem_openapi::Object;
use punctual_core::bookings::StaffMessage;

use crate::http::values::NoteText;

/// How the customer is notified of a change by staff.
#[derive(Debug, Default, Object)]
#[oai(rename = "StaffMessage")]
pub struct MessageRequest {
    /// For staff: a message for the customer's mail, stored with the change.
    message: Option<NoteText>,
    /// For staff: whether the customer gets a mail about the change; true when absent.
    notify: Option<bool>,
}

impl From<MessageRequest> for StaffMessage {
    fn from(request: MessageRequest) -> Self {
        Self::new(request.message.map(|text| text.0), request.notify)
    }
}
