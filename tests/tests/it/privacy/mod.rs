//! What is kept of a person, and that nothing is left once they are erased.

mod account;
mod customer;
mod dump;
mod races;
mod retention;
