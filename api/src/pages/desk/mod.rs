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
mod numbers;
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

use super::PageEndpoint;

use page::{Desk, DeskPage, LoginRequired, Notice};

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/desk", PageEndpoint::<LoginRequired<day::Day>>::new())
        .at("/desk/login", PageEndpoint::<login::Login>::new())
        .at("/desk/logout", PageEndpoint::<LoginRequired<login::Logout>>::new())
        .at("/desk/style.css", PageEndpoint::<look::Style>::new())
        .at("/desk/week/:staff", PageEndpoint::<LoginRequired<week::Week>>::new())
        .at("/desk/new", PageEndpoint::<LoginRequired<new::New>>::new())
        .at("/desk/away", PageEndpoint::<LoginRequired<away::AddTimeOff>>::new())
        .at("/desk/away/:staff/:id", PageEndpoint::<LoginRequired<away::ShowTimeOff>>::new())
        .at("/desk/stranded", PageEndpoint::<LoginRequired<stranded::Stranded>>::new())
        .at("/desk/live.js", PageEndpoint::<live::Script>::new())
        .at("/desk/drag.js", PageEndpoint::<live::DragScript>::new())
        .at("/desk/changes", PageEndpoint::<live::Changes>::new())
        .at("/desk/customers", PageEndpoint::<LoginRequired<customers::Customers>>::new())
        .at("/desk/customers/:id", PageEndpoint::<LoginRequired<customers::File>>::new())
        .at("/desk/settings", PageEndpoint::<LoginRequired<settings::Settings>>::new())
        .at("/desk/business", PageEndpoint::<LoginRequired<business::Business>>::new())
        .at("/desk/team", PageEndpoint::<LoginRequired<team::Team>>::new())
        .at("/desk/team/:id", PageEndpoint::<LoginRequired<team::Member>>::new())
        .at("/desk/hours/:staff", PageEndpoint::<LoginRequired<hours::Hours>>::new())
        .at("/desk/services", PageEndpoint::<LoginRequired<services::Services>>::new())
        .at("/desk/services/:id", PageEndpoint::<LoginRequired<services::OneService>>::new())
        .at("/desk/services/:id/resources", PageEndpoint::<LoginRequired<needs::Needs>>::new())
        .at(
            "/desk/services/:id/staff-terms",
            PageEndpoint::<LoginRequired<staff_terms::StaffTermsPage>>::new(),
        )
        .at("/desk/resources", PageEndpoint::<LoginRequired<resources::Resources>>::new())
        .at("/desk/resources/:id", PageEndpoint::<LoginRequired<resources::OneResource>>::new())
        .at("/desk/services/:id/timetable", PageEndpoint::<LoginRequired<timetable::Timetable>>::new())
        .at("/desk/numbers", PageEndpoint::<LoginRequired<numbers::Numbers>>::new())
        .at("/desk/bookings.csv", PageEndpoint::<LoginRequired<numbers::BookingsFile>>::new())
        .at("/desk/customers.csv", PageEndpoint::<LoginRequired<numbers::CustomersFile>>::new())
        .at("/desk/closures", PageEndpoint::<LoginRequired<closures::Closures>>::new())
        .at("/desk/keys", PageEndpoint::<LoginRequired<keys::Keys>>::new())
        .at("/desk/b/:id", PageEndpoint::<LoginRequired<booking::Show>>::new())
        .at("/desk/b/:id/move", PageEndpoint::<LoginRequired<reschedule::Move>>::new())
        .at("/desk/b/:id/series", PageEndpoint::<LoginRequired<series::SeriesActions>>::new())
        .at("/desk/b/:id/:verb", PageEndpoint::<LoginRequired<act::Act>>::new())
        .at("/desk/class/:service/:staff/:start", PageEndpoint::<LoginRequired<class::Class>>::new())
}
