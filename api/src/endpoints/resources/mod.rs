//! Rooms and equipment.

mod add_outage;
mod create;
mod get;
mod list;
mod list_outages;
mod needs;
mod put_needs;
mod remove_outage;
mod update;
mod used;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListResources,
    create::CreateResource,
    get::GetResource,
    update::UpdateResource,
    list_outages::ListOutages,
    add_outage::CreateOutage,
    remove_outage::RemoveOutage,
    needs::GetServiceNeeds,
    put_needs::PutServiceNeeds,
    used::ListBookingResources,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &create::OPERATION,
    &get::OPERATION,
    &update::OPERATION,
    &list_outages::OPERATION,
    &add_outage::OPERATION,
    &remove_outage::OPERATION,
    &needs::OPERATION,
    &put_needs::OPERATION,
    &used::OPERATION,
];
