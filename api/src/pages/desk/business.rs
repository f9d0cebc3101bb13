use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    settings::{self, Business as Settings},
    types::{
        AccentColour, Currency, EmailAddress, ExpectedRev, Label, Locale, Phone, PostalAddress, Rev, Zone,
    },
};
use serde::Serialize;

use super::{Desk, DeskPage, Notice, fields::Fields};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/business`: name, address, mails, zone and colour. The first page of an empty database.
pub struct Business;

const NAMES: [&str; 11] = [
    "name",
    "address",
    "phone",
    "reply_to",
    "sender",
    "notify_address",
    "currency",
    "zone",
    "locale",
    "guests",
    "accent_colour",
];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    /// None before the business is set up.
    rev: Option<i32>,
}

impl DeskPage for Business {
    const OPERATION: &'static Operation = &named("deskBusiness");
    const PATTERN: &'static str = "/desk/business";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let current = current(desk).await?;
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ if current.is_none() => Some(("desk_welcome", "status")),
            _ => None,
        };
        let fields = match &current {
            Some(business) => of_business(business),
            None => first(desk),
        };
        render(desk, StatusCode::OK, notice, fields, current.map(|business| business.rev.0))
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let seen = form.text("rev").and_then(|text| text.parse().ok()).map(Rev);
        let current = current(desk).await?;
        let mut fields = Fields::of(&form, &NAMES);
        let Some(business) = parse(desk, &mut fields, current.as_ref()) else {
            let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
            return render(desk, status, notice, fields, seen.map(|rev| rev.0));
        };
        let is_first = current.is_none();
        match settings::replace(desk.core(), seen.map(ExpectedRev::Exactly), business).await {
            Ok(_) if is_first => Ok(desk.go("/team/new", &[])),
            Ok(changed) if changed.stranded.is_empty() => Ok(desk.go("/business", &[("done", "saved")])),
            Ok(_) => Ok(desk.go("/stranded", &[])),
            Err(Error::RevMismatch { current }) => {
                let status = StatusCode::PRECONDITION_FAILED;
                render(desk, status, Some(("desk_stale_form", "alert")), fields, Some(current.0))
            }
            Err(Error::Invalid { pointer: "/currency", .. }) => {
                fields.fault("currency", "desk_fault_currency_used");
                let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
                render(desk, status, notice, fields, seen.map(|rev| rev.0))
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn current(desk: &Desk) -> Result<Option<Settings>, Problem> {
    match settings::get(&desk.core().pool).await {
        Ok(business) => Ok(Some(business)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
    rev: Option<i32>,
) -> Result<Response, Problem> {
    desk.page(status, "desk/business.html.j2", "settings", notice, &Facts { fields, rev })
}

fn of_business(business: &Settings) -> Fields {
    let phone = business.phone.as_ref().map(|phone| phone.as_str().to_owned());
    let notify = business.notify_address.as_ref().map(|email| email.as_str().to_owned());
    Fields::with([
        ("name", business.name.clone()),
        ("address", business.address.clone()),
        ("phone", phone.unwrap_or_default()),
        ("reply_to", business.reply_to.as_str().to_owned()),
        ("sender", business.sender.as_str().to_owned()),
        ("notify_address", notify.unwrap_or_default()),
        ("currency", business.currency.to_string()),
        ("zone", business.zone.name().to_owned()),
        ("locale", business.locale.as_str().to_owned()),
        ("guests", if business.guests_allowed { "1" } else { "" }.to_owned()),
        ("accent_colour", business.accent_colour.map(|colour| colour.to_string()).unwrap_or_default()),
    ])
}

/// Defaults: the administrator's address and language; guests may book.
fn first(desk: &Desk) -> Fields {
    let email = desk.user.email.as_str().to_owned();
    Fields::with([
        ("name", String::new()),
        ("address", String::new()),
        ("phone", String::new()),
        ("reply_to", email.clone()),
        ("sender", email.clone()),
        ("notify_address", email),
        ("currency", "EUR".to_owned()),
        ("zone", "Europe/Berlin".to_owned()),
        ("locale", desk.locale.as_str().to_owned()),
        ("guests", "1".to_owned()),
        ("accent_colour", String::new()),
    ])
}

fn parse(desk: &Desk, fields: &mut Fields, current: Option<&Settings>) -> Option<Settings> {
    let name = fields.parse("name", "fault_name", Label::parse);
    let address = PostalAddress::parse(fields.text("address"));
    if address.is_err() {
        fields.fault("address", "desk_fault_address");
    }
    let phone = fields.parse_optional("phone", "fault_phone", Phone::parse);
    let reply_to = fields.parse("reply_to", "fault_email", EmailAddress::parse);
    let sender = fields.parse("sender", "fault_email", EmailAddress::parse);
    let notify_address = fields.parse_optional("notify_address", "fault_email", EmailAddress::parse);
    let upper = fields.text("currency").to_ascii_uppercase();
    let currency = fields.parse("currency", "desk_fault_currency", |_| Currency::parse(&upper));
    let zone = fields.parse("zone", "desk_fault_zone", Zone::parse);
    let locale = fields.parse("locale", "fault_required", Locale::parse);
    let accent_colour = fields.parse_optional("accent_colour", "desk_fault_colour", AccentColour::parse);
    Some(Settings {
        name: name?.as_str().to_owned(),
        address: address.ok()?.as_str().to_owned(),
        phone: phone?,
        reply_to: reply_to?,
        sender: sender?,
        notify_address: notify_address?,
        currency: currency?,
        zone: zone?,
        locale: locale?,
        public_url: current.map_or_else(|| desk.visit.state.public_url.clone(), |now| now.public_url.clone()),
        guests_allowed: !fields.text("guests").is_empty(),
        retention_days: current.and_then(|now| now.retention_days),
        accent_colour: accent_colour?,
        country: current.and_then(|now| now.country),
        rev: current.map_or(Rev(1), |now| now.rev),
    })
}
