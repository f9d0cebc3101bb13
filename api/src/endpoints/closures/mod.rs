//! Dates on which the whole business is closed.

mod list;
mod put;
mod remove;

/// The operations of this group.
pub type Operations = (list::ListClosures, put::PutClosure, remove::RemoveClosure);
