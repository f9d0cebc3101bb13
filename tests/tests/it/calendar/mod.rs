//! Slots, hours and the catalogue on a real Postgres.

mod catalogue;
mod hours;
mod plans;
mod slots;
mod test_calendar;
