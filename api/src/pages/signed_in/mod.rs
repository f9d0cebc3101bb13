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

use super::{Served, book::OfBook};

use page::Behind;

pub(super) use login::password_matches;

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/account", Served::<OfBook<Behind<appointments::Appointments>>>::new())
        .at("/account/login", Served::<OfBook<login::Login>>::new())
        .at("/account/forgotten", Served::<OfBook<forgotten::Forgotten>>::new())
        .at("/account/register", Served::<OfBook<register::Register>>::new())
        .at("/account/profile", Served::<OfBook<Behind<profile::Profile>>>::new())
        .at("/account/password", Served::<OfBook<Behind<password::Password>>>::new())
        .at("/account/logout", Served::<OfBook<Behind<leave::Logout>>>::new())
        .at("/account/export", Served::<OfBook<Behind<leave::Export>>>::new())
        .at("/account/delete", Served::<OfBook<Behind<leave::Delete>>>::new())
}
