//! Personal data: what is stored, and that nothing remains after erasure.

mod account;
mod customer;
mod dump;
mod races;
mod retention;
