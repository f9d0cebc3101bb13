//! Times and prices as people read them, in each language: the same in mails and on pages.

mod price;
mod seats;
mod when;

pub use price::{decimal, price};
pub use seats::with_seats;
pub use when::{When, clock, long_day, month_name, weekday};
