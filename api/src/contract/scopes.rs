//! Which scope an API key needs for an operation.

use poem::http::Method;
use punctual_core::api_keys::{Area, Right, Scope};

use super::Access;
use crate::http::problem::{Code, Problem};

/// The scope for a method of a path, by the path's first step below `/v1`; `None` where no API key may: accounts, their
/// sessions, API keys and the queue belong to people.
#[must_use]
pub fn scope_of(method: &Method, path: &str) -> Option<Scope> {
    let area = match path.strip_prefix("/v1/")?.split('/').next()? {
        "bookings" | "holds" | "stranded-bookings" => Area::Bookings,
        "business" | "closures" | "services" | "slots" | "staff" => Area::Catalogue,
        "customers" => Area::Customers,
        "events" => Area::Events,
        "webhooks" => Area::Webhooks,
        _ => return None,
    };
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Some(Scope { area, right: if reads { Right::Read } else { Right::Write } })
}

/// Whether a key with these scopes may call the operation.
///
/// # Errors
/// `scope_missing`.
pub fn check(access: Access, needed: Option<Scope>, granted: &[Scope]) -> Result<(), Problem> {
    let missing = |detail: String| Err(Problem::new(Code::ScopeMissing).detail(detail));
    match needed {
        _ if access == Access::Public => Ok(()),
        Some(scope) if scope.is_granted_by(granted) => Ok(()),
        Some(scope) => missing(format!("The API key needs the scope `{scope}`.")),
        None => missing("No API key may call this operation: log in with an account.".to_owned()),
    }
}
