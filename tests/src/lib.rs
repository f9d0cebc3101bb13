//! What the stories in `tests/it` share with the programs they start.

pub mod probe;
