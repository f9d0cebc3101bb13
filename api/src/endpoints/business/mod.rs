//! The business itself.

mod get;
mod put;
mod update;

/// The operations of this group.
pub type Operations = (get::GetBusiness, put::PutBusiness, update::UpdateBusiness);
