use poem::{Response, http::StatusCode};
use punctual_core::{
    types::{Locale, PersonName, Phone},
    users::{self, User, UserPatch},
};
use serde::Serialize;

use super::{
    page::{AccountPage, go, render},
    session::SignedIn,
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{book::Visitor, form::Form, named},
};

/// `/account/profile`: name, phone, language; with the forms of its sub-pages.
pub struct Profile;

#[derive(Serialize)]
struct Facts {
    email: String,
    name: String,
    phone: String,
    language: &'static str,
    name_fault: Option<&'static str>,
    phone_fault: Option<&'static str>,
}

impl Facts {
    fn of(user: &User) -> Self {
        Self {
            email: user.email.as_str().to_owned(),
            name: user.name.as_str().to_owned(),
            phone: user.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
            language: user.locale.map_or("", Locale::as_str),
            name_fault: None,
            phone_fault: None,
        }
    }
}

const TEMPLATE: &str = "account/profile.html.j2";

impl AccountPage for Profile {
    const OPERATION: &'static Operation = &named("pageProfile");
    const PATTERN: &'static str = "/account/profile";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor, who: SignedIn) -> Result<Response, Problem> {
        let notice = match visitor.visit.query_param("done") {
            Some("saved") => Some(("account_saved", "status")),
            Some("wrong") => Some(("account_wrong_password", "alert")),
            Some("bookings") => Some(("account_has_bookings", "alert")),
            Some("password_too_short") => Some(("password_too_short", "alert")),
            Some("password_too_long") => Some(("password_too_long", "alert")),
            Some("password_breached") => Some(("password_breached", "alert")),
            Some("password_personal") => Some(("password_personal", "alert")),
            _ => None,
        };
        let user = users::get(&visitor.visit.state.core.pool, who.user_id).await?;
        render(visitor, Some(&who), StatusCode::OK, TEMPLATE, notice, &Facts::of(&user)).await
    }

    async fn submit(visitor: &Visitor, who: SignedIn, form: Form) -> Result<Response, Problem> {
        let core = &visitor.visit.state.core;
        let text = |name| form.text(name).unwrap_or_default().trim();
        let name = PersonName::parse(text("name"));
        let phone = if text("phone").is_empty() { Ok(None) } else { Phone::parse(text("phone")).map(Some) };
        let (Ok(name), Ok(phone)) = (&name, &phone) else {
            let user = users::get(&core.pool, who.user_id).await?;
            let facts = Facts {
                name: text("name").chars().take(300).collect(),
                phone: text("phone").chars().take(100).collect(),
                name_fault: name.is_err().then_some("fault_name"),
                phone_fault: phone.is_err().then_some("fault_phone"),
                ..Facts::of(&user)
            };
            return render(visitor, Some(&who), StatusCode::UNPROCESSABLE_ENTITY, TEMPLATE, None, &facts)
                .await;
        };
        let patch = UserPatch {
            name: Some(name.clone()),
            phone: Some(phone.clone()),
            locale: Some(Locale::parse(text("language")).ok()),
            zone: None,
        };
        users::update(&core.pool, core.now(), who.user_id, &patch).await?;
        Ok(go(visitor, "/profile", Some("saved")))
    }
}
