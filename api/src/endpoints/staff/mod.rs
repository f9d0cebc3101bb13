//! Who performs services.

mod calendar_feed;
mod create;
mod get;
mod invite;
mod list;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListStaff,
    get::GetStaffMember,
    create::CreateStaffMember,
    update::UpdateStaffMember,
    invite::InviteStaffMember,
    calendar_feed::RenewCalendarFeed,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &get::OPERATION,
    &create::OPERATION,
    &update::OPERATION,
    &invite::OPERATION,
    &calendar_feed::OPERATION,
];
