//! Webhook endpoints, for administrators.

mod create;
mod get;
mod get_delivery;
mod list;
mod list_deliveries;
mod remove;
mod replay;
mod rotate_secret;
mod send_test;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    create::CreateWebhook,
    list::ListWebhooks,
    get::GetWebhook,
    update::UpdateWebhook,
    remove::RemoveWebhook,
    rotate_secret::RotateWebhookSecret,
    send_test::SendTestWebhook,
    list_deliveries::ListWebhookDeliveries,
    get_delivery::GetWebhookDelivery,
    replay::ReplayWebhookDeliveries,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &create::OPERATION,
    &list::OPERATION,
    &get::OPERATION,
    &update::OPERATION,
    &remove::OPERATION,
    &rotate_secret::OPERATION,
    &send_test::OPERATION,
    &list_deliveries::OPERATION,
    &get_delivery::OPERATION,
    &replay::OPERATION,
];
