//! Services.

mod create;
mod get;
mod list;
mod put_timetable;
mod reminders;
mod staff_terms;
mod timetable;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListServices,
    get::GetService,
    create::CreateService,
    update::UpdateService,
    staff_terms::PutStaffTerms,
    timetable::GetTimetable,
    put_timetable::PutTimetable,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &get::OPERATION,
    &create::OPERATION,
    &update::OPERATION,
    &staff_terms::OPERATION,
    &timetable::OPERATION,
    &put_timetable::OPERATION,
];
