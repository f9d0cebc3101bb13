use poem::Response;
use punctual_core::{
    bookings,
    notifications::{Notification, NotificationState},
    pool::again_if_cut,
    types::{Actor, Role},
};
use serde::Serialize;
use uuid::Uuid;

use super::{AdminVisit, OpsPage, words};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::named,
};

/// `/ops/bookings/{id}`: the booking of a mail and the states of its mails. It shows no customer.
pub struct Booking;

#[derive(Serialize)]
struct Facts {
    id: Uuid,
    status: String,
    known: Vec<(&'static str, String)>,
    mails: Vec<Mail>,
}

#[derive(Serialize)]
struct Mail {
    id: Uuid,
    kind: String,
    state: String,
    when: String,
    tries: i32,
    reply: String,
    can_resend: bool,
    alert: bool,
}

impl OpsPage for Booking {
    const OPERATION: &'static Operation = &named("opsBooking");
    const PATTERN: &'static str = "/ops/bookings/{id}";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (id, actor) = (id_at(&admin, 2)?, actor(&admin));
        let booking = again_if_cut(|| bookings::get(core, &actor, id)).await?;
        let mails = again_if_cut(|| bookings::notifications(core, &actor, id)).await?;
        let facts = Facts {
            id,
            status: word(&booking.status),
            known: vec![
                ("Service", booking.what()),
                ("With", booking.staff.name),
                ("Start", booking.start.format("%Y-%m-%d %H:%M (UTC%:z)").to_string()),
                ("Revision", booking.rev.0.to_string()),
                ("Changed", words::instant(booking.updated_at)),
            ],
            mails: mails.into_iter().map(mail).collect(),
        };
        admin.page("booking.html.j2", &facts)
    }
}

/// The actor: the administrator who is logged in.
pub fn actor(admin: &AdminVisit) -> Actor {
    Actor::Account { user_id: admin.operator, role: Role::Admin }
}

/// The id in this segment of the path.
pub fn id_at(admin: &AdminVisit, place: usize) -> Result<Uuid, Problem> {
    let id = admin.visit.step(place).and_then(|step| Uuid::try_parse(step).ok());
    id.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such booking or mail."))
}

/// A value of an enumeration as the API writes it.
pub fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn mail(mail: Notification) -> Mail {
    let unsent = matches!(mail.state, NotificationState::Failed | NotificationState::InDoubt);
    Mail {
        id: mail.id,
        kind: word(&mail.kind),
        state: word(&mail.state),
        when: words::instant(mail.accepted_at.or(mail.next_try_at).unwrap_or(mail.send_at)),
        tries: mail.tries,
        reply: mail.reply.unwrap_or_default(),
        can_resend: unsent,
        alert: unsent,
    }
}
