//! `/account`: pages of customers with an account, behind their login.

mod appointments;
mod forgotten;
mod leave;
mod login;
mod page;
mod password;
mod profile;
mod register;
pub(super) mod session;

use poem::Route;

use super::{PageEndpoint, book::OfBook};

use page::LoginRequired;

pub(super) use login::password_matches;

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/account", PageEndpoint::<OfBook<LoginRequired<appointments::Appointments>>>::new())
        .at("/account/login", PageEndpoint::<OfBook<login::Login>>::new())
        .at("/account/forgotten", PageEndpoint::<OfBook<forgotten::Forgotten>>::new())
        .at("/account/register", PageEndpoint::<OfBook<register::Register>>::new())
        .at("/account/profile", PageEndpoint::<OfBook<LoginRequired<profile::Profile>>>::new())
        .at("/account/password", PageEndpoint::<OfBook<LoginRequired<password::Password>>>::new())
        .at("/account/logout", PageEndpoint::<OfBook<LoginRequired<leave::Logout>>>::new())
        .at("/account/export", PageEndpoint::<OfBook<LoginRequired<leave::Export>>>::new())
        .at("/account/delete", PageEndpoint::<OfBook<LoginRequired<leave::Delete>>>::new())
}
