//! Commands that show the state of the mail server and of mails.

use punctual_core::mail_relay::OpenCircuit;
use punctual_core::notifications::ResendableMail;
use punctual_core::operators::{self, MailStatus};
use punctual_core::{Core, Result};
use serde_json::{Value, json};

use super::table::{self, instant};

/// The state of the mail server.
pub async fn relay(core: &Core, json: bool) -> Result<()> {
    let (mails, now) = (operators::mails(core).await?, core.now());
    if json {
        println!("{}", relay_json(&mails));
        return Ok(());
    }
    match mails.oldest_due {
        Some(due) => println!("the oldest mail is due for {} s", (now - due).num_seconds()),
        None => println!("no mail is due"),
    }
    if mails.circuits.is_empty() {
        println!("no worker holds mails back");
        return Ok(());
    }
    let rows: Vec<_> = mails
        .circuits
        .iter()
        .map(|circuit| {
            [
                circuit.relay.clone(),
                instant(circuit.opened_at),
                instant(circuit.open_until),
                circuit.failure.clone(),
                circuit.process_name.clone(),
            ]
        })
        .collect();
    table::print(["MAIL SERVER", "OPEN SINCE", "NEXT TEST", "LAST FAILURE", "WORKER"], &rows);
    Ok(())
}

/// As `relay --json` and `queues --json` print it.
pub fn relay_json(mails: &MailStatus) -> Value {
    let circuit = |circuit: &OpenCircuit| {
        json!({
            "relay": circuit.relay, "opened_at": instant(circuit.opened_at), "open_until": instant(circuit.open_until),
            "openings": circuit.openings, "failure": circuit.failure, "worker": circuit.process_name,
        })
    };
    json!({
        "oldest_due_at": mails.oldest_due.map(instant),
        "open_circuits": mails.circuits.iter().map(circuit).collect::<Vec<_>>(),
    })
}

/// The mails that can only be resent by hand.
pub async fn mails(core: &Core, json: bool) -> Result<()> {
    let mails = operators::mails(core).await?.resendable;
    if json {
        println!("{}", json!({ "data": mails.iter().map(mail_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows: Vec<_> = mails
        .iter()
        .map(|mail| {
            [
                mail.id.to_string(),
                mail.kind.as_str().to_owned(),
                mail.outcome.as_str().to_owned(),
                instant(mail.ended_at),
                instant(mail.expires_at),
                mail.domain.clone(),
                mail.reply.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table::print(["ID", "MAIL", "IS", "SINCE", "UNTIL", "DOMAIN", "LAST REPLY"], &rows);
    Ok(())
}

fn mail_json(mail: &ResendableMail) -> Value {
    json!({
        "id": mail.id, "booking_id": mail.booking_id, "kind": mail.kind.as_str(), "state": mail.outcome.as_str(),
        "ended_at": instant(mail.ended_at), "expires_at": instant(mail.expires_at), "domain": mail.domain,
        "reply": mail.reply,
    })
}
