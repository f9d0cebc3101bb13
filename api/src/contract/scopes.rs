//! Which scope an API key needs for an operation.

use poem::http::Method;
use punctual_core::api_keys::{Area, Right, Scope, Scopes};

use crate::http::problem::{Code, Problem};

/// The scope for a method of a path; `None` where no API key is accepted. Accounts, sessions, API keys and the queue belong
/// to people. So does everything that decides who sees customers: staff, and addresses of mails about bookings.
#[must_use]
pub fn scope_of(method: &Method, path: &str) -> Option<Scope> {
    let mut steps = path.strip_prefix("/v1/")?.split('/');
    let (first, third) = (steps.next()?, steps.nth(1));
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let area = match first {
        "bookings" | "bookings.csv" | "classes" | "holds" | "series" | "stranded-bookings" | "visits" => {
            Area::Bookings
        }
        "closures" | "public-holidays" | "resources" | "services" | "slots" | "visit-slots" => {
            Area::Catalogue
        }
        "business" if reads => Area::Catalogue,
        "staff" if reads || matches!(third, Some("hours" | "overrides" | "photo" | "time-off")) => {
            Area::Catalogue
        }
        "customers" | "customers.csv" => Area::Customers,
        "events" => Area::Events,
        // The test clock of a sandbox is for programs that wait for webhooks.
        "webhooks" | "sandbox" => Area::Webhooks,
        _ => return None,
    };
    Some(Scope { area, right: if reads { Right::Read } else { Right::Write } })
}

/// Whether a key with these scopes may call an operation. An operation that is open to guests needs its scope too, because
/// with a key the caller sees what staff see.
///
/// # Errors
/// `scope_missing`.
pub fn check(needed: Option<Scope>, granted: Scopes) -> Result<(), Problem> {
    match needed {
        Some(scope) if granted.grant(scope) => Ok(()),
        Some(scope) => Err(punctual_core::Error::ScopeMissing(scope).into()),
        None => Err(Problem::new(Code::ScopeMissing)
            .detail("No API key may call this operation: log in with an account.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_nothing_that_decides_who_sees_customers() {
        let needed = |method: Method, path| scope_of(&method, path).map(Scope::as_str);
        for (method, path, expected) in [
            (Method::GET, "/v1/staff", Some("catalogue:read")),
            (Method::POST, "/v1/staff", None),
            (Method::PATCH, "/v1/staff/{id}", None),
            (Method::POST, "/v1/staff/{id}/invitation", None),
            (Method::POST, "/v1/staff/{id}/calendar-feed", None),
            (Method::DELETE, "/v1/staff/{id}/time-off/{time_off_id}", Some("catalogue:write")),
            (Method::GET, "/v1/business", Some("catalogue:read")),
            (Method::PUT, "/v1/business/logo", None),
            (Method::GET, "/v1/me", None),
            (Method::POST, "/v1/auth/login", None),
            (Method::GET, "/v1/api-keys", None),
            (Method::GET, "/v1/ops/queues", None),
        ] {
            assert_eq!(needed(method.clone(), path), expected, "{method} {path}");
        }
    }
}
