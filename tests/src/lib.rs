//! What the stories in `tests/it` share.
