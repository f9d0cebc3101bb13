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
    /// Read.
    Read,
    /// Read and write.
    Write,
}

/// A right in an area: `bookings:read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The area.
    pub area: Area,
    /// The access.
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
}

/// What a key may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    /// Whether they include this scope. Write includes read.
    #[must_use]
    pub fn grant(self, scope: Scope) -> bool {
        let write = Scope { right: Right::Write, ..scope };
        self.0 & (bit(scope) | bit(write)) != 0
    }

    /// Each of them, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & bit(*scope) != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | bit(scope)))
    }
}

const fn bit(scope: Scope) -> u16 {
    1 << (scope.area as u16 * 2 + scope.right as u16)
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
        let granted: Scopes = [scope("bookings:write"), scope("customers:read")].into_iter().collect();
        assert_eq!(granted.iter().collect::<Vec<_>>(), [scope("bookings:write"), scope("customers:read")]);
        for (text, expected) in [
            ("bookings:read", true),
            ("bookings:write", true),
            ("customers:read", true),
            ("customers:write", false),
            ("events:read", false),
        ] {
            assert_eq!(granted.grant(scope(text)), expected, "{text}");
        }
        for text in ["", "bookings", "bookings:", "events:write", "Bookings:read", "bookings:read "] {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }
}
