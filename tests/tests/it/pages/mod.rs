//! Stories of people who open links from their mails, over HTTP and in a browser.

mod account_browser;
mod axe;
mod book;
mod book_browser;
mod book_visits;
mod browser;
mod decide;
mod desk;
mod desk_browser;
mod desk_classes;
mod desk_drag;
mod desk_keys;
mod desk_move;
mod desk_numbers;
mod desk_pages;
mod desk_phone;
mod desk_resources;
mod desk_roles;
mod desk_series;
mod desk_setup;
mod desk_visits;
mod desk_week;
mod feed;
mod links;
mod manage;
mod ops;
mod ops_webhooks;
mod reminders;
mod signed_in;
mod staff_terms;
mod storefront;
mod test_booking_page;
mod test_pages;

pub use test_booking_page::{ADA, Booking, salon, target};
pub use test_pages::Salon;
