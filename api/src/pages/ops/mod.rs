//! `/ops`: administrators see and control the queue. It works without a script; a short script keeps the page current.
//! Every change needs a confirmation.

mod act_on_all;
mod act_on_job;
mod act_on_queue;
mod act_on_webhook;
mod actions;
mod admin_visit;
mod booking;
mod html;
mod job;
mod jobs;
mod login;
mod logout;
mod mails;
mod overview;
mod picture;
mod probe_relay;
mod resend;
mod script;
mod session;
mod webhook;
mod webhook_delivery;
mod webhooks;
mod words;

use poem::Route;

use super::PageEndpoint;
use admin_visit::{AdminVisit, LoginRequired, OpsPage};

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/ops", PageEndpoint::<LoginRequired<overview::Overview>>::new())
        .at("/ops/jobs", PageEndpoint::<LoginRequired<jobs::Jobs>>::new())
        .at("/ops/jobs/:id", PageEndpoint::<LoginRequired<job::Job>>::new())
        .at("/ops/jobs/:id/:verb", PageEndpoint::<LoginRequired<act_on_job::ActOnJob>>::new())
        .at("/ops/all-jobs/:verb", PageEndpoint::<LoginRequired<act_on_all::ActOnAll>>::new())
        .at("/ops/bookings/:id", PageEndpoint::<LoginRequired<booking::Booking>>::new())
        .at("/ops/bookings/:id/:mail", PageEndpoint::<LoginRequired<resend::Resend>>::new())
        .at("/ops/queues/:queue/:verb", PageEndpoint::<LoginRequired<act_on_queue::ActOnQueue>>::new())
        .at("/ops/mails", PageEndpoint::<LoginRequired<mails::Mails>>::new())
        .at("/ops/relay/probe", PageEndpoint::<LoginRequired<probe_relay::ProbeRelay>>::new())
        .at("/ops/webhooks", PageEndpoint::<LoginRequired<webhooks::Webhooks>>::new())
        .at("/ops/webhooks/:id", PageEndpoint::<LoginRequired<webhook::Webhook>>::new())
        .at("/ops/webhooks/:id/:verb", PageEndpoint::<LoginRequired<act_on_webhook::ActOnWebhook>>::new())
        .at(
            "/ops/webhooks/:id/deliveries/:delivery",
            PageEndpoint::<LoginRequired<webhook_delivery::WebhookDelivery>>::new(),
        )
        .at("/ops/actions", PageEndpoint::<LoginRequired<actions::Actions>>::new())
        .at("/ops/login", PageEndpoint::<login::Login>::new())
        .at("/ops/logout", PageEndpoint::<LoginRequired<logout::Logout>>::new())
        .at("/ops/live.js", PageEndpoint::<script::Script>::new())
}
