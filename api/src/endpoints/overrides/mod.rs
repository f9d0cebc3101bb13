//! Dates on which a member of staff has other hours than usual.

mod list;
mod put;
mod remove;

/// The operations of this group.
pub type Operations = (list::ListOverrides, put::PutOverride, remove::RemoveOverride);
