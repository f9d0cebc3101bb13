//! Tests over HTTP: the api in this process, with its own database and a manual clock.

mod accounts;
mod auth;
mod bad_input;
mod bookings;
mod calendars;
mod catalogue;
mod customer_file;
mod customers;
mod desk_lists;
mod front_desk;
mod http;
mod ill;
mod limits;
mod mails;
mod ops;
mod raw;
mod repeated;
mod resources;
mod roles;
mod sale;
pub mod salon;
mod seats;
mod series;
mod states;
mod terms_of_staff;
pub mod test_api;
mod timetable;
mod visits;

use salon::{Salon, brief};
use test_api::{Answer, TestApi};
