//! Services: what customers can book.

mod create;
mod display;
mod read;
mod spec;
mod staff_terms;
mod timetable;
mod update;
mod write;

pub use create::create;
pub use display::{ServiceDisplay, ServiceText};
pub use read::{Service, StaffTerms, get, list};
pub use spec::{MAX_REMINDERS, MAX_STAFF, ServicePatch, ServiceSpec};
pub use staff_terms::put_staff_terms;
pub use timetable::{
    ClassWindow, MAX_CLASS_DATES, MAX_CLASS_WINDOWS, ServiceTimetable, SingleClass, put_timetable, timetable,
};
pub use update::update;

pub(crate) use read::stored_rules;
pub(crate) use timetable::{count_up, put_date};
