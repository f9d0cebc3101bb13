//! The form of name and address, and the booking it asks for.

use punctual_core::{
    bookings::{Booker, NewBooking, SlotSource},
    types::{Actor, Note, PersonName},
};
use serde::Serialize;

use super::{
    Visitor,
    input::{Faults, Input},
};
use crate::{http::problem::Problem, pages::signed_in::session};

/// The fields of `fields.html.j2`.
#[derive(Serialize)]
pub struct Details {
    fields: Vec<Field>,
    /// Whether to offer the choice of reminders: the service has some.
    has_reminders: bool,
    no_reminder: bool,
    faulty: bool,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    longest: u16,
    required: bool,
    value: String,
    /// Key of the message about what is wrong with it.
    fault: Option<&'static str>,
}

impl Details {
    /// The fields that this visitor has to fill in.
    pub async fn of(
        visitor: &Visitor,
        input: &Input,
        faults: &Faults,
        has_reminders: bool,
    ) -> Result<Self, Problem> {
        let field = |name: &'static str, kind, autocomplete, longest, required, value: &str| Field {
            name,
            kind,
            autocomplete,
            longest,
            required,
            value: value.to_owned(),
            fault: faults.get(name).copied(),
        };
        let mut fields = vec![
            field("name", "text", "name", 200, true, &input.name),
            field("email", "email", "email", 254, true, &input.email),
            field("phone", "tel", "tel", 40, false, &input.phone),
            field("for_whom", "text", "off", 200, false, &input.for_whom),
            field("note", "text", "off", 2000, false, &input.note),
        ];
        let has_account = session::of(&visitor.visit.state, &visitor.visit.headers).await?.is_some();
        fields.retain(|field| match field.name {
            "note" => true,
            "for_whom" => has_account,
            _ => !has_account,
        });
        Ok(Self { fields, has_reminders, no_reminder: input.no_reminder, faulty: !faults.is_empty() })
    }
}

/// Booker, attendee and note.
pub struct Request {
    pub actor: Actor,
    pub booker: Booker,
    for_whom: Option<PersonName>,
    note: Note,
    reminders: bool,
}

impl Request {
    /// What the form asks for, or what is wrong with it.
    pub async fn of(visitor: &Visitor, input: &Input) -> Result<Result<Self, Faults>, Problem> {
        let who = session::of(&visitor.visit.state, &visitor.visit.headers).await?;
        let parsed = match &who {
            Some(who) => input
                .parsed_of_account()
                .map(|(note, for_whom)| (who.actor(), Booker::Myself, note, for_whom)),
            None => {
                input.parsed(visitor).map(|(person, note)| (Actor::Guest, Booker::Person(person), note, None))
            }
        };
        Ok(parsed.map(|(actor, booker, note, for_whom)| Self {
            actor,
            booker,
            for_whom,
            note,
            reminders: !input.no_reminder,
        }))
    }

    /// The booking of this slot.
    pub fn booking(&self, slot: SlotSource) -> NewBooking {
        NewBooking {
            slot,
            booker: self.booker.clone(),
            for_whom: self.for_whom.clone(),
            customer_note: self.note.clone(),
            staff_note: Note::empty(),
            reminders: self.reminders,
            overriding: false,
            no_mail: false,
        }
    }
}
