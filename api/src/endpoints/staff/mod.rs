//! Who performs services.

mod calendar_feed;
mod create;
mod get;
mod list;
mod update;

/// The operations of this group.
pub type Operations = (
    list::ListStaff,
    get::GetStaffMember,
    create::CreateStaffMember,
    update::UpdateStaffMember,
    calendar_feed::RenewCalendarFeed,
);
