//! A payload for unit tests.

use serde::{Deserialize, Serialize};

use crate::job::Payload;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nothing {}

impl Payload for Nothing {
    const KIND: &'static str = "nothing.v1";
    const QUEUE: &'static str = "default";
}
