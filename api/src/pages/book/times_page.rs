//! What the page of free times shows, of a service and of a visit.

use chrono::{Days, NaiveDate};
use punctual_core::staff::StaffMember;
use serde::Serialize;

use super::{
    Visitor,
    site::{Site, initial},
    staff_choice::StaffChoice,
    summary::ServiceFacts,
    zones,
};
use crate::pages::times::Day;

/// What `times.html.j2` shows.
#[derive(Serialize)]
pub struct Facts {
    pub service: ServiceFacts,
    /// The services of a visit, each with the page without it; none for a single one.
    pub chain: Vec<Link>,
    /// The page that adds a service; none if there are as many as can be.
    pub add: Option<String>,
    /// Last segment of this page's path.
    pub who: String,
    /// The members of staff to choose from; none if there is only one.
    pub people: Option<Vec<Person>>,
    pub next: Option<Link>,
    pub days: Vec<Day>,
    /// The first free time after a week without one.
    pub later_free: Option<Link>,
    pub earlier: Option<String>,
    pub later: Option<String>,
    /// The business's zone.
    pub zone: &'static str,
    pub zones: Vec<zones::Choice>,
    pub hidden: Vec<Hidden>,
    /// The requested number of seats; none for a one-to-one service.
    pub seats: Option<Seats>,
}

/// The form to choose the number of seats.
#[derive(Serialize)]
pub struct Seats {
    pub wanted: u32,
    pub most: u32,
    pub hidden: Vec<Hidden>,
}

#[derive(Serialize)]
pub struct Person {
    href: String,
    name: Option<String>,
    about: Option<String>,
    photo: Option<String>,
    initial: Option<String>,
    current: bool,
}

#[derive(Serialize)]
pub struct Link {
    pub href: String,
    pub label: String,
}

#[derive(Serialize)]
pub struct Hidden {
    name: &'static str,
    value: String,
}

/// Hidden fields of the forms to choose a zone or a number of seats.
pub fn hidden(visitor: &Visitor, more: [(&'static str, Option<String>); 2]) -> Vec<Hidden> {
    let language = visitor.requested_locale().map(|locale| locale.as_str().to_owned());
    let fields = [("lang", language), ("embed", visitor.embed.clone())];
    fields.into_iter().chain(more).filter_map(|(name, value)| Some(Hidden { name, value: value? })).collect()
}

/// The date so many days later.
pub fn after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

/// The members of staff to choose from, if there are several.
pub fn people(
    visitor: &Visitor,
    site: &Site,
    performs: impl Fn(&StaffMember) -> bool,
    who: StaffChoice,
) -> Option<Vec<Person>> {
    let staff = site.storefront.front.staff.iter().filter(|member| performs(member));
    let staff: Vec<&StaffMember> = staff.collect();
    if staff.len() < 2 {
        return None;
    }
    let anyone = Person {
        href: "anyone".to_owned(),
        name: None,
        about: None,
        photo: None,
        initial: None,
        current: who == StaffChoice::Anyone,
    };
    let root = visitor.visit.root();
    let person = |member: &StaffMember| Person {
        href: member.id.to_string(),
        about: Some(member.about.as_str().to_owned()).filter(|text| !text.is_empty()),
        photo: member.photo.as_ref().map(|tag| format!("{root}look/staff/{}?v={tag}", member.id)),
        initial: Some(initial(member.name.as_str())),
        current: who == StaffChoice::Staff(member.id),
        name: Some(member.name.as_str().to_owned()),
    };
    Some(std::iter::once(anyone).chain(staff.into_iter().map(person)).collect())
}
