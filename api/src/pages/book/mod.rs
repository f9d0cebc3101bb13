//! `/book`: a customer chooses a service, a member of staff and a time, and books it. No script, no account, no cookie.
//!
//! GET changes nothing: a form creates the hold. Its token contains the idempotency key of the hold, and the hold's token is
//! the key of the booking. So back, reload and a second click create nothing twice. A visit of several services is booked
//! without a hold: the token of its form is the key of the visit.

mod choice;
mod contact;
mod details;
mod error_page;
pub(super) mod form_token;
mod hold;
mod input;
mod limits;
mod linked_data;
mod page;
mod services;
mod site;
mod span_cache;
mod staff_choice;
mod summary;
mod taken;
mod times;
mod times_page;
mod visit;
mod visitor;
mod zones;

use poem::Route;

use super::PageEndpoint;

use page::service;

pub(super) use page::{BookPage, OfBook};
pub(super) use site::{Site, initial};
pub(super) use visitor::Visitor;

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/", PageEndpoint::<services::Front>::new())
        .at("/book", PageEndpoint::<OfBook<services::Services>>::new())
        .at("/book/:service", PageEndpoint::<OfBook<times::Anyone>>::new())
        .at("/book/:service/:who", PageEndpoint::<OfBook<times::Times>>::new())
        .at("/book/:service/:who/add", PageEndpoint::<OfBook<visit::Add>>::new())
        .at("/book/:service/:who/:start", PageEndpoint::<OfBook<choice::Choice>>::new())
        .at("/h/:token", PageEndpoint::<OfBook<contact::Contact>>::new())
        .at("/h/:token/renew", PageEndpoint::<OfBook<hold::Renew>>::new())
        .at("/h/:token/release", PageEndpoint::<OfBook<hold::Release>>::new())
}
