//! Stories over HTTP: the api in this process, on a database of its own and with a clock that the test moves.

mod accounts;
mod auth;
mod bad_input;
mod bookings;
mod calendars;
mod catalogue;
mod customers;
mod http;
mod limits;
mod mails;
mod ops;
mod raw;
mod repeated;
mod roles;
pub mod salon;
mod states;
pub mod test_api;

use salon::{Salon, brief};
use test_api::{Answer, TestApi};
