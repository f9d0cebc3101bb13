//! The business itself.

mod get;
mod put;
mod put_logo;
mod remove_logo;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations =
    (get::GetBusiness, put::PutBusiness, update::UpdateBusiness, put_logo::PutLogo, remove_logo::RemoveLogo);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] =
    &[&get::OPERATION, &put::OPERATION, &update::OPERATION, &put_logo::OPERATION, &remove_logo::OPERATION];
