//! When staff work.

mod get;
mod put;

/// The operations of this group.
pub type Operations = (get::GetHours, put::PutHours);
