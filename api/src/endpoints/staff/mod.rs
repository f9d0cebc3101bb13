//! Who performs services.

mod calendar_feed;
mod create;
mod get;
mod invite;
mod list;
mod update;

/// The operations of this group.
pub type Operations = (
    list::ListStaff,
    get::GetStaffMember,
    create::CreateStaffMember,
    update::UpdateStaffMember,
    invite::InviteStaffMember,
    calendar_feed::RenewCalendarFeed,
);
