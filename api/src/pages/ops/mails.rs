use poem::Response;
use punctual_core::{notifications::ResendableMail, operators, pool::again_if_cut};
use serde::Serialize;

use super::{AdminVisit, OpsPage, words};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/ops/mails`: the state of the mail server, and the mails that can only be resent by hand.
pub struct Mails;

#[derive(Serialize)]
struct Facts {
    oldest: Option<String>,
    circuits: Vec<Circuit>,
    mails: Vec<Mail>,
}

/// A worker whose circuit to the mail server is open.
#[derive(Serialize)]
pub(super) struct Circuit {
    relay: String,
    worker: String,
    since: String,
    next: String,
    failure: String,
}

#[derive(Serialize)]
struct Mail {
    id: String,
    booking: String,
    kind: &'static str,
    outcome: &'static str,
    ended: String,
    until: String,
    domain: String,
    reply: String,
}

impl OpsPage for Mails {
    const OPERATION: &'static Operation = &named("opsMails");
    const PATTERN: &'static str = "/ops/mails";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (mails, now) = (again_if_cut(|| operators::mails(core)).await?, core.now());
        let facts = Facts {
            oldest: mails.oldest_due.map(|due| words::span((now - due).num_seconds())),
            circuits: circuits(&mails, now),
            mails: mails.resendable.into_iter().map(|mail| row(mail, now)).collect(),
        };
        admin.page("mails.html.j2", &facts)
    }
}

/// The open circuits for the pages.
pub(super) fn circuits(mails: &operators::MailStatus, now: chrono::DateTime<chrono::Utc>) -> Vec<Circuit> {
    let circuit = |circuit: &punctual_core::mail_relay::OpenCircuit| Circuit {
        relay: circuit.relay.clone(),
        worker: circuit.process_name.clone(),
        since: words::distance(circuit.opened_at, now),
        next: words::distance(circuit.open_until, now),
        failure: circuit.failure.clone(),
    };
    mails.circuits.iter().map(circuit).collect()
}

fn row(mail: ResendableMail, now: chrono::DateTime<chrono::Utc>) -> Mail {
    Mail {
        id: mail.id.to_string(),
        booking: mail.booking_id.to_string(),
        kind: mail.kind.as_str(),
        outcome: mail.outcome.as_str(),
        ended: words::distance(mail.ended_at, now),
        until: words::distance(mail.expires_at, now),
        domain: mail.domain,
        reply: mail.reply.unwrap_or_default(),
    }
}
