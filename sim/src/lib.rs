//! Simulations with the real programs: a month of bookings with a simulated clock ([`month`]), faults under load
//! ([`chaos`]), and the checker that compares all state afterwards ([`checker`]).

pub mod chaos;
pub mod checker;
pub mod dice;
pub mod month;
