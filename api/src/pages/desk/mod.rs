//! `/desk`: the pages of staff and administrators, who are logged in with the session of an account.
//!
//! Works without a script. A form carries the revision that was seen: if it is outdated, the page shows the other change
//! and overwrites nothing.

mod act;
mod away;
mod board;
mod booking;
mod business;
mod class;
mod closures;
mod columns;
mod customer_input;
mod customers;
mod day;
mod fields;
mod found;
mod hours;
mod keys;
mod live;
mod login;
mod look;
mod needs;
mod new;
mod occurrences;
mod page;
mod people;
mod repeat;
mod reschedule;
mod resources;
mod series;
mod services;
mod settings;
mod staff_terms;
mod stranded;
mod team;
mod timetable;
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
        .at("/desk/live.js", Served::<live::Script>::new())
        .at("/desk/changes", Served::<live::Changes>::new())
        .at("/desk/customers", Served::<Behind<customers::Customers>>::new())
        .at("/desk/customers/:id", Served::<Behind<customers::File>>::new())
        .at("/desk/settings", Served::<Behind<settings::Settings>>::new())
        .at("/desk/business", Served::<Behind<business::Business>>::new())
        .at("/desk/team", Served::<Behind<team::Team>>::new())
        .at("/desk/team/:id", Served::<Behind<team::Member>>::new())
        .at("/desk/hours/:staff", Served::<Behind<hours::Hours>>::new())
        .at("/desk/services", Served::<Behind<services::Services>>::new())
        .at("/desk/services/:id", Served::<Behind<services::OneService>>::new())
        .at("/desk/services/:id/resources", Served::<Behind<needs::Needs>>::new())
        .at("/desk/services/:id/staff-terms", Served::<Behind<staff_terms::OfStaff>>::new())
        .at("/desk/resources", Served::<Behind<resources::Resources>>::new())
        .at("/desk/resources/:id", Served::<Behind<resources::OneResource>>::new())
        .at("/desk/services/:id/timetable", Served::<Behind<timetable::Timetable>>::new())
        .at("/desk/closures", Served::<Behind<closures::Closures>>::new())
        .at("/desk/keys", Served::<Behind<keys::Keys>>::new())
        .at("/desk/b/:id", Served::<Behind<booking::Show>>::new())
        .at("/desk/b/:id/move", Served::<Behind<reschedule::Move>>::new())
        .at("/desk/b/:id/series", Served::<Behind<series::OfSeries>>::new())
        .at("/desk/b/:id/:verb", Served::<Behind<act::Act>>::new())
        .at("/desk/class/:service/:staff/:start", Served::<Behind<class::Class>>::new())
}
