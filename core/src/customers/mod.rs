//! Those who book.

mod booker;
mod person;
mod search;

pub(crate) use booker::of_booker;
pub use person::{Customer, correct, get};
pub use search::search;
