//! Times and prices as people read them, in each language: the same in mails and on pages.

mod price;
mod when;

pub use price::{decimal, price};
pub use when::{When, clock, long_day, weekday};
