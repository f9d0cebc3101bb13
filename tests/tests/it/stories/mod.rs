//! End to end with real processes: an api, a worker, and a mail server between them and the customer.

mod accounts;
mod booking_links;
mod clocks;
mod database_roles;
mod fail_over;
mod first_day;
mod inbox;
mod metrics;
mod month;
mod operators;
mod poolers;
mod reads;
mod recipes;
mod sandbox;
mod set_up;
mod test_stack;
mod together;
mod trace;

use test_stack::TestStack;
