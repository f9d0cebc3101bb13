//! Pages for people, behind secret links from mails or a login: outside `/v1` and the document, with errors in HTML.
//!
//! Link scanners open links, so GET and HEAD change nothing. Each page is one file: what it shows and what its form does. Its template and its words are in `api/templates/`.

mod account;
mod appointment;
mod book;
mod chain;
mod decide;
mod desk;
mod error_page;
mod feed;
mod form;
mod html;
mod links;
mod look;
mod manage;
mod ops;
mod page;
mod reminders;
mod session_cookie;
mod signed_in;
mod times;
mod visit;

use poem::Route;

use page::{Page, PageEndpoint, named};

pub use error_page::error_page;
pub use html::accepted_language;

/// First path segments of the pages.
const ROOTS: [&str; 11] =
    ["/m/", "/d/", "/u/", "/f/", "/v/", "/r/", "/h/", "/account/", "/book/", "/desk/", "/ops/"];

/// Adds the pages to the routes.
pub fn add_to(routes: Route) -> Route {
    signed_in::add_to(book::add_to(desk::add_to(look::add_to(ops::add_to(routes)))))
        .at("/links", PageEndpoint::<book::OfBook<links::Links>>::new())
        .at("/m/:token", PageEndpoint::<manage::Show>::new())
        .at("/m/:token/calendar.ics", PageEndpoint::<manage::Calendar>::new())
        .at("/m/:token/note", PageEndpoint::<manage::Note>::new())
        .at("/m/:token/reminders", PageEndpoint::<manage::Reminders>::new())
        .at("/m/:token/cancel", PageEndpoint::<manage::Cancel>::new())
        .at("/m/:token/move", PageEndpoint::<manage::Move>::new())
        .at("/d/:token", PageEndpoint::<decide::Show>::new())
        .at("/d/:token/confirm", PageEndpoint::<decide::Confirm>::new())
        .at("/d/:token/decline", PageEndpoint::<decide::Decline>::new())
        .at("/u/:token", PageEndpoint::<reminders::Reminders>::new())
        .at("/v/:token", PageEndpoint::<account::VerifyEmail>::new())
        .at("/r/:token", PageEndpoint::<account::ChoosePassword>::new())
        .at("/f/:token", PageEndpoint::<feed::Feed>::new())
}

/// Whether this path is a page, whose errors are HTML.
pub fn is_for_people(path: &str) -> bool {
    matches!(path, "/" | "/account" | "/book" | "/desk" | "/links" | "/ops")
        || ROOTS.iter().any(|root| path.starts_with(root))
}
