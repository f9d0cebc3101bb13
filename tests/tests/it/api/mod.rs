//! Stories over HTTP: the api in this process, on a database of its own and with a clock that the test moves.

mod auth;
mod bad_input;
mod bookings;
mod http;
mod roles;
mod test_api;

use test_api::{Answer, TestApi};
