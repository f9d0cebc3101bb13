//! The customer in a form of the desk: an existing one, or a new one.

use std::collections::BTreeMap;

use punctual_core::{
    bookings::Booker,
    customers::Contact,
    types::{EmailAddress, Note, PersonName, Phone},
};
use serde::Serialize;
use uuid::Uuid;

use crate::pages::form::Form;

/// Message keys of wrong fields, by field name.
pub type Faults = BTreeMap<&'static str, &'static str>;

/// What was written.
#[derive(Default, Clone, Serialize)]
pub struct Input {
    /// The customer on file that was chosen.
    pub customer: Option<Uuid>,
    pub name: String,
    pub email: String,
    pub phone: String,
    /// A note that customers never see.
    pub note: String,
    /// Idempotency key: a second click does nothing.
    pub token: String,
    #[serde(skip)]
    pub faults: Faults,
}

impl Input {
    pub fn of(form: &Form) -> Self {
        let text = |name| form.text(name).unwrap_or_default().chars().take(4000).collect::<String>();
        Self {
            customer: form.text("customer").and_then(|text| Uuid::try_parse(text).ok()),
            name: text("name"),
            email: text("email"),
            phone: text("phone"),
            note: text("note").replace("\r\n", "\n"),
            token: text("token"),
            faults: Faults::new(),
        }
    }

    /// The customer and the note, or the wrong fields.
    pub fn parsed(&self) -> Result<(Booker, Note), Faults> {
        let mut faults = Faults::new();
        let note = Note::parse(self.note.trim());
        if note.is_err() {
            faults.insert("note", "fault_note");
        }
        if let (Some(id), Ok(note)) = (self.customer, &note) {
            return Ok((Booker::Customer(id), note.clone()));
        }
        let contact = self.contact(&mut faults);
        match (contact, note) {
            (Some(contact), Ok(note)) if faults.is_empty() => Ok((Booker::Person(contact), note)),
            _ => Err(faults),
        }
    }

    fn contact(&self, faults: &mut Faults) -> Option<Contact> {
        let empty = |text: &str| text.trim().is_empty();
        let name = PersonName::parse(&self.name);
        if name.is_err() {
            faults.insert("name", if empty(&self.name) { "fault_required" } else { "fault_name" });
        }
        let email = if empty(&self.email) { Ok(None) } else { EmailAddress::parse(&self.email).map(Some) };
        if email.is_err() {
            faults.insert("email", "fault_email");
        }
        if empty(&self.email) && empty(&self.phone) {
            faults.insert("phone", "desk_fault_reach");
        }
        let phone = if empty(&self.phone) { Ok(None) } else { Phone::parse(&self.phone).map(Some) };
        if phone.is_err() {
            faults.insert("phone", "fault_phone");
        }
        let (name, email, phone) = (name.ok()?, email.ok()?, phone.ok()?);
        Some(Contact { email, name, phone, locale: None, zone: None, separate: false })
    }
}
