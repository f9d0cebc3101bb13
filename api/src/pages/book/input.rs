//! Input of the booking form.

use std::collections::BTreeMap;

use punctual_core::{
    customers::Contact,
    types::{EmailAddress, Note, PersonName, Phone},
};

use super::Visitor;
use crate::pages::form::Form;

/// What is wrong with the fields: the key of a message, by name.
pub type Faults = BTreeMap<&'static str, &'static str>;

/// The form's input.
#[derive(Default, Clone)]
pub struct Input {
    pub name: String,
    pub email: String,
    pub phone: String,
    pub note: String,
    /// Who comes in place of somebody with an account; empty: they come.
    pub for_whom: String,
    /// No reminders of this booking.
    pub no_reminder: bool,
}

impl Input {
    /// By the names of the fields.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = [
            ("name", &self.name),
            ("email", &self.email),
            ("phone", &self.phone),
            ("note", &self.note),
            ("for_whom", &self.for_whom),
        ];
        let no_reminder = self.no_reminder.then_some(("no_reminder", "yes"));
        texts.into_iter().map(|(name, text)| (name, text.as_str())).chain(no_reminder)
    }

    /// The input of a logged-in customer, whose contact details are known: note, and who comes in their place.
    pub fn parsed_of_account(&self) -> Result<(Note, Option<PersonName>), Faults> {
        let note = Note::parse(self.note.replace("\r\n", "\n").trim());
        let name = self.for_whom.trim();
        let for_whom = if name.is_empty() { Ok(None) } else { PersonName::parse(name).map(Some) };
        let mut faults = Faults::new();
        if note.is_err() {
            faults.insert("note", "fault_note");
        }
        if for_whom.is_err() {
            faults.insert("for_whom", "fault_name");
        }
        match (note, for_whom) {
            (Ok(note), Ok(for_whom)) => Ok((note, for_whom)),
            _ => Err(faults),
        }
    }

    /// Contact details and note, or a message key for each wrong field.
    pub fn parsed(&self, visitor: &Visitor) -> Result<(Contact, Note), Faults> {
        let mut faults = Faults::new();
        let missing = |text: &str| text.trim().is_empty();
        let mut fault = |field, text: &str, fault| {
            faults.insert(field, if missing(text) { "fault_required" } else { fault });
        };
        let email = EmailAddress::parse(&self.email);
        if email.is_err() {
            fault("email", &self.email, "fault_email");
        }
        let name = PersonName::parse(&self.name);
        if name.is_err() {
            fault("name", &self.name, "fault_name");
        }
        let phone = if missing(&self.phone) { Ok(None) } else { Phone::parse(&self.phone).map(Some) };
        if phone.is_err() {
            fault("phone", &self.phone, "fault_phone");
        }
        // Browsers send CRLF for a line break but count one character.
        let note = Note::parse(self.note.replace("\r\n", "\n").trim());
        if note.is_err() {
            fault("note", &self.note, "fault_note");
        }
        let (Ok(email), Ok(name), Ok(phone), Ok(note)) = (email, name, phone, note) else {
            return Err(faults);
        };
        let person = Contact {
            email: Some(email),
            name,
            phone,
            locale: Some(visitor.locale),
            zone: visitor.zone,
            separate: false,
        };
        Ok((person, note))
    }
}

/// The form's contact details; none if it has none.
pub fn submitted(form: &Form) -> Option<Input> {
    let text = |name| form.text(name).map(|text| text.chars().take(2100).collect::<String>());
    // The form of a logged-in customer has only the note.
    form.text("email").or(form.text("note"))?;
    Some(Input {
        email: text("email").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        phone: text("phone").unwrap_or_default(),
        note: text("note").unwrap_or_default(),
        for_whom: text("for_whom").unwrap_or_default(),
        no_reminder: form.text("no_reminder").is_some(),
    })
}
