use std::fmt;

use crate::types::ParseError;

/// A part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Bookings and holds.
    Bookings,
    /// Services, staff, their hours and time off, closures, the business, free times.
    Catalogue,
    /// Customers.
    Customers,
    /// The feed of events.
    Events,
    /// Webhook endpoints and their deliveries.
    Webhooks,
}

/// What may be done in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// See.
    Read,
    /// See and change.
    Write,
}

/// A right in an area: `bookings:read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Where.
    pub area: Area,
    /// What.
    pub right: Right,
}

impl Scope {
    /// All scopes. The feed can only be read.
    pub const ALL: [Self; 9] = [
        Self { area: Area::Bookings, right: Right::Read },
        Self { area: Area::Bookings, right: Right::Write },
        Self { area: Area::Catalogue, right: Right::Read },
        Self { area: Area::Catalogue, right: Right::Write },
        Self { area: Area::Customers, right: Right::Read },
        Self { area: Area::Customers, right: Right::Write },
        Self { area: Area::Events, right: Right::Read },
        Self { area: Area::Webhooks, right: Right::Read },
        Self { area: Area::Webhooks, right: Right::Write },
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match (self.area, self.right) {
            (Area::Bookings, Right::Read) => "bookings:read",
            (Area::Bookings, Right::Write) => "bookings:write",
            (Area::Catalogue, Right::Read) => "catalogue:read",
            (Area::Catalogue, Right::Write) => "catalogue:write",
            (Area::Customers, Right::Read) => "customers:read",
            (Area::Customers, Right::Write) => "customers:write",
            (Area::Events, Right::Read) => "events:read",
            (Area::Events, Right::Write) => "events:write",
            (Area::Webhooks, Right::Read) => "webhooks:read",
            (Area::Webhooks, Right::Write) => "webhooks:write",
        }
    }

    /// Parses a name.
    ///
    /// # Errors
    /// `unknown_scope`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const UNKNOWN: ParseError = ParseError::new(
            "unknown_scope",
            "expected bookings:, catalogue:, customers: or webhooks: with read or write, or events:read",
        );
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UNKNOWN)
    }

    /// Whether one of these scopes includes this one: whoever may write may read.
    #[must_use]
    pub fn is_granted_by(self, granted: &[Self]) -> bool {
        granted.iter().any(|scope| scope.area == self.area && scope.right >= self.right)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_to_write_includes_that_to_read_and_no_other_area() {
        let scope = |text| Scope::parse(text).unwrap();
        let granted = [scope("bookings:write"), scope("customers:read")];
        for (text, expected) in [
            ("bookings:read", true),
            ("bookings:write", true),
            ("customers:read", true),
            ("customers:write", false),
            ("events:read", false),
        ] {
            assert_eq!(scope(text).is_granted_by(&granted), expected, "{text}");
        }
        for text in ["", "bookings", "bookings:", "events:write", "Bookings:read", "bookings:read "] {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }
}
