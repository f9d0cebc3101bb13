//! `/desk`: where the people of the business work. For staff and administrators, signed in with the session of an account.
//!
//! Works without a script. A form carries the revision that was seen: what somebody else changed meanwhile is shown, and
//! nothing is overwritten.

mod act;
mod away;
mod board;
mod booking;
mod class;
mod columns;
mod customer_input;
mod day;
mod login;
mod look;
mod new;
mod page;
mod people;
mod reschedule;
mod stranded;
mod week;

use poem::Route;

use super::Served;

use page::{Behind, Desk, DeskPage, Notice};

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/desk", Served::<Behind<day::Day>>::new())
        .at("/desk/login", Served::<login::Login>::new())
        .at("/desk/logout", Served::<Behind<login::Logout>>::new())
        .at("/desk/style.css", Served::<look::Style>::new())
        .at("/desk/week/:staff", Served::<Behind<week::Week>>::new())
        .at("/desk/new", Served::<Behind<new::New>>::new())
        .at("/desk/away", Served::<Behind<away::Away>>::new())
        .at("/desk/away/:staff/:id", Served::<Behind<away::OneAway>>::new())
        .at("/desk/stranded", Served::<Behind<stranded::Stranded>>::new())
        .at("/desk/b/:id", Served::<Behind<booking::Show>>::new())
        .at("/desk/b/:id/move", Served::<Behind<reschedule::Move>>::new())
        .at("/desk/b/:id/:verb", Served::<Behind<act::Act>>::new())
        .at("/desk/class/:service/:staff/:start", Served::<Behind<class::Class>>::new())
}
