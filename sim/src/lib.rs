//! Simulations on the real programs: a month of bookings by a simulated clock ([`month`]), faults under load ([`chaos`]),
//! and the checker that compares everything afterwards ([`checker`]).

pub mod chaos;
pub mod checker;
pub mod dice;
pub mod month;
