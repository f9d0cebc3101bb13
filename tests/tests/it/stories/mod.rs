//! The whole way on real processes: an api, a worker, and a mail server between them and the customer.

mod accounts;
mod database_roles;
mod first_day;
mod inbox;
mod metrics;
mod month;
mod operators;
mod reads;
mod test_stack;
mod together;
mod trace;

use test_stack::TestStack;
