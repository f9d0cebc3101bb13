use poem::{Response, http::header};
use punctual_core::sessions;

use super::{Desk, OpsPage, session::clear_cookie};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/ops/logout`
pub struct Logout;

impl OpsPage for Logout {
    const OPERATION: &'static Operation = &named("opsLogout");
    const PATTERN: &'static str = "/ops/logout";
    const POSTS: bool = true;

    async fn show(desk: Desk) -> Result<Response, Problem> {
        Ok(desk.go("ops"))
    }

    async fn submit(desk: Desk, _: Form) -> Result<Response, Problem> {
        let core = &desk.visit.state.core;
        sessions::logout(&core.pool, core.now(), &desk.token.hash()).await?;
        let mut response = desk.go("ops/login");
        response.headers_mut().insert(header::SET_COOKIE, clear_cookie());
        Ok(response)
    }
}
