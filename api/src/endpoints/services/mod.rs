//! Services.

mod create;
mod get;
mod list;
mod reminders;
mod staff_terms;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListServices,
    get::GetService,
    create::CreateService,
    update::UpdateService,
    staff_terms::PutStaffTerms,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] =
    &[&list::OPERATION, &get::OPERATION, &create::OPERATION, &update::OPERATION, &staff_terms::OPERATION];
