//! What the stories in `tests/it` share with the programs they start.

pub mod live;
pub mod probe;
pub mod smtp_sink;
