//! Rooms and equipment: what there is, which services need it, and when it is out of service. Which booking uses what is
//! decided with its place ([`crate::calendar`]) and stored with it.

mod manage;
mod needs;
mod outages;
mod read;

pub use manage::{NewResource, ResourcePatch, create, update};
pub use needs::{ServiceNeeds, needs, put_needs};
pub use outages::{NewOutage, Outage, add_outage, outages, remove_outage};
pub use read::{Resource, get, list};
