//! What the stories in `tests/it` share with the programs they start.

pub mod certificate;
pub mod chaos;
pub mod checker;
pub mod collector;
pub mod dice;
pub mod live;
pub mod month;
pub mod probe;
pub mod proxy;
pub mod smtp_sink;
