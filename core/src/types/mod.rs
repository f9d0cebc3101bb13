//! Validated values: parsed once at the edge, never checked again.

mod actor;
mod booking_action;
mod booking_change;
mod booking_status;
mod colour;
mod country;
mod locale;
mod money;
mod month;
mod page;
mod period;
mod rev;
mod role;
mod search;
mod stored;
mod text;
mod zone;

pub use actor::{Actor, ActorKind};
pub use booking_action::BookingAction;
pub use booking_change::{ChangeKind, EventDetails, Position, Replaced};
pub use booking_status::BookingStatus;
pub use colour::AccentColour;
pub use country::Country;
pub(crate) use country::searched_digits;
pub use locale::{LanguageTag, Locale};
pub use money::{Currency, Money};
pub use month::Month;
pub use page::{Cursor, Order, Page, PageSize};
pub use period::Period;
pub use rev::{ExpectedRev, Rev};
pub use role::{Role, StaffRole};
pub(crate) use search::SearchWords;
pub(crate) use stored::decode_by_parsing;
pub use text::{About, EmailAddress, Label, Note, PersonName, Phone, PostalAddress, Reason};
pub use zone::Zone;

/// Why a value could not be parsed. Never contains the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Stable code of the fault, snake case: `too_long`, `bad_email` and so on.
    pub code: &'static str,
    /// What is wrong and what is expected, for a person.
    pub message: &'static str,
}

impl ParseError {
    /// An error with this code and message.
    #[must_use]
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }
}
