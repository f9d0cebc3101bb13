//! Problems (RFC 9457): the form of every error.

mod code;
mod document;
mod map;
mod model;
mod visit;

pub use code::Code;
pub use document::{AlternativeSlot, PROBLEM_JSON, SeriesOccurrence};
pub use model::{Facts, Fault, Place, Problem};
pub use visit::VisitStart;
