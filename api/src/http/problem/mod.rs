//! Problems: the one form of every answer that is not a success (RFC 9457).

mod code;
mod document;
mod map;
mod model;

pub use code::Code;
pub use document::PROBLEM_JSON;
pub use model::{Facts, Fault, Place, Problem};
