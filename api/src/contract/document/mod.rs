//! The document: poem-openapi's description, completed with what it cannot express. One function writes `/openapi.json`
//! and the committed file, so the two are equal.

mod examples;
mod finish;
mod shared;

use poem_openapi::{LicenseObject, OpenApi, OpenApiService, registry::Registry};

use serde_json::Value;

use super::Operation;

const DESCRIPTION: &str = "\
Bookings for a local service business: customers sign up, see free slots and book; confirmations and reminders go out by
mail.

**Instants** are RFC 3339 with an offset (`2027-05-04T10:00:00+02:00`); one without an offset is refused. **Dates** are
civil dates in the business's time zone.

**Errors** are `application/problem+json` (RFC 9457), every one of them: `code` is for programs, `errors` names every
place of the request that does not fit. New codes may be added.

**Changes** of something that has a `rev` name the revision they are based on in `If-Match` (`\"3\"`, or `*` for any).

**Repeating** a request that creates something is safe with the same `Idempotency-Key`.

**Unknown fields and parameters** of requests are refused; unknown fields of answers are to be ignored, they may be added.

`X-Request-Id` comes with every answer; one that is sent with a request, a UUID, is kept.";

/// The `OpenAPI` document as text, ending in a line break. `webhooks` describes what is posted to clients: `OpenAPI` has a
/// place for it from 3.1 on, before that it is `x-webhooks`.
///
/// # Errors
/// When it cannot be read back or written, which is a bug.
pub fn document<T: OpenApi>(
    api: T,
    operations: impl Iterator<Item = &'static Operation>,
    webhooks: Value,
) -> Result<String, serde_json::Error> {
    let service = OpenApiService::new(api, "Punctual", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://opensource.org/license/mit"))
        .server("/");
    let mut document: Value = serde_json::from_str(&service.spec())?;
    let operations: Vec<_> = operations.collect();
    finish::finish(&mut document, &operations);
    shared::share_responses(&mut document);
    document["x-webhooks"] = webhooks;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// The schemas of all operations of `T`, against which requests are checked.
#[must_use]
pub fn registry<T: OpenApi>() -> Registry {
    let mut registry = Registry::new();
    T::register(&mut registry);
    registry
}
