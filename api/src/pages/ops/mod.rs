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

use super::Served;
use admin_visit::{AdminVisit, Behind, OpsPage};

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/ops", Served::<Behind<overview::Overview>>::new())
        .at("/ops/jobs", Served::<Behind<jobs::Jobs>>::new())
        .at("/ops/jobs/:id", Served::<Behind<job::Job>>::new())
        .at("/ops/jobs/:id/:verb", Served::<Behind<act_on_job::ActOnJob>>::new())
        .at("/ops/all-jobs/:verb", Served::<Behind<act_on_all::ActOnAll>>::new())
        .at("/ops/bookings/:id", Served::<Behind<booking::Booking>>::new())
        .at("/ops/bookings/:id/:mail", Served::<Behind<resend::Resend>>::new())
        .at("/ops/queues/:queue/:verb", Served::<Behind<act_on_queue::ActOnQueue>>::new())
        .at("/ops/mails", Served::<Behind<mails::Mails>>::new())
        .at("/ops/relay/probe", Served::<Behind<probe_relay::ProbeRelay>>::new())
        .at("/ops/webhooks", Served::<Behind<webhooks::Webhooks>>::new())
        .at("/ops/webhooks/:id", Served::<Behind<webhook::Webhook>>::new())
        .at("/ops/webhooks/:id/:verb", Served::<Behind<act_on_webhook::ActOnWebhook>>::new())
        .at(
            "/ops/webhooks/:id/deliveries/:delivery",
            Served::<Behind<webhook_delivery::WebhookDelivery>>::new(),
        )
        .at("/ops/actions", Served::<Behind<actions::Actions>>::new())
        .at("/ops/login", Served::<login::Login>::new())
        .at("/ops/logout", Served::<Behind<logout::Logout>>::new())
        .at("/ops/live.js", Served::<script::Script>::new())
}
