use poem::{Response, http::header};
use punctual_core::{Error, privacy, sessions};

use super::{
    page::{AccountPage, go},
    password::is_owner,
    session::{SignedIn, clear},
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{book::Visitor, form::Form, html::see_other, named},
    views::PersonalData,
};

/// `/account/logout`: ends this session, or with `everywhere` all.
pub struct Logout;

impl AccountPage for Logout {
    const OPERATION: &'static Operation = &named("pageLogout");
    const PATTERN: &'static str = "/account/logout";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor, _: SignedIn) -> Result<Response, Problem> {
        Ok(go(visitor, "/profile", None))
    }

    async fn submit(visitor: &Visitor, who: SignedIn, form: Form) -> Result<Response, Problem> {
        let core = &visitor.visit.state.core;
        if form.text("everywhere").is_some() {
            sessions::logout_everywhere(&core.pool, core.now(), who.user_id).await?;
        } else {
            sessions::logout(&core.pool, core.now(), &who.token.hash()).await?;
        }
        Ok(away(visitor))
    }
}

/// `/account/export`: all stored data of the account, as a file.
pub struct Export;

impl AccountPage for Export {
    const OPERATION: &'static Operation = &named("pageExport");
    const PATTERN: &'static str = "/account/export";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor, who: SignedIn) -> Result<Response, Problem> {
        let core = &visitor.visit.state.core;
        let data = PersonalData::new(privacy::export(core, who.user_id).await?, core.now());
        let body = serde_json::to_vec_pretty(&data).map_err(|error| Error::internal("an export", error))?;
        Ok(Response::builder()
            .content_type("application/json")
            .header(header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\"")
            .header(header::CACHE_CONTROL, "no-store")
            .body(body))
    }
}

/// `/account/delete`: deletes the account and its owner's personal data.
pub struct Delete;

impl AccountPage for Delete {
    const OPERATION: &'static Operation = &named("pageDeleteAccount");
    const PATTERN: &'static str = "/account/delete";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor, _: SignedIn) -> Result<Response, Problem> {
        Ok(go(visitor, "/profile", None))
    }

    async fn submit(visitor: &Visitor, who: SignedIn, form: Form) -> Result<Response, Problem> {
        if !is_owner(visitor, &who, &form).await? {
            return Ok(go(visitor, "/profile", Some("wrong")));
        }
        match privacy::delete_account(&visitor.visit.state.core, who.user_id).await {
            Ok(()) => Ok(away(visitor)),
            Err(Error::HasBookings(_) | Error::LastAdmin) => Ok(go(visitor, "/profile", Some("bookings"))),
            Err(error) => Err(error.into()),
        }
    }
}

/// Redirects to the services, without a session.
fn away(visitor: &Visitor) -> Response {
    let mut response = see_other(&format!("{}book{}", visitor.visit.root(), visitor.carry()));
    clear(&mut response);
    response
}
