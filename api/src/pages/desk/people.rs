//! Choosing a member of staff in a form.

use punctual_core::staff::StaffMember;
use serde::Serialize;
use uuid::Uuid;

/// An entry of a list to choose from.
#[derive(Serialize)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub current: bool,
}

impl Person {
    pub fn new(member: &StaffMember, current: Option<Uuid>) -> Self {
        Self { id: member.id, name: member.name.as_str().to_owned(), current: current == Some(member.id) }
    }
}
