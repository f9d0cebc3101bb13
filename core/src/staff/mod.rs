//! Members of staff, and the lock that orders all changes of their calendars.

mod create;
mod invite;
mod lock;
mod read;
mod update;

pub use create::{NewStaff, create};
pub use invite::invite;
pub use lock::{Locked, lock, lock_own};
pub(crate) use lock::{increment_revs, lock_for_batch};
pub use read::{StaffMember, get, list, of_account};
pub use update::{StaffPatch, update};
