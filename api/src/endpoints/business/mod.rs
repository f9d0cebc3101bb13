//! The business itself.

mod get;
mod update;

/// The operations of this group.
pub type Operations = (get::GetBusiness, update::UpdateBusiness);
