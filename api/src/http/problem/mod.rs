//! Problems (RFC 9457): the form of every error.

mod code;
mod document;
mod map;
mod model;

pub use code::Code;
pub use document::{AlternativeSlot, PROBLEM_JSON, SeriesOccurrence};
pub use model::{Facts, Fault, Place, Problem};
