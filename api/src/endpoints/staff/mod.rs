//! Members of staff.

mod calendar_feed;
mod create;
mod get;
mod invite;
mod list;
mod put_photo;
mod remove_photo;
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
    put_photo::PutPhoto,
    remove_photo::RemovePhoto,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &get::OPERATION,
    &create::OPERATION,
    &update::OPERATION,
    &invite::OPERATION,
    &calendar_feed::OPERATION,
    &put_photo::OPERATION,
    &remove_photo::OPERATION,
];
